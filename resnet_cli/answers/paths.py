"""paths(): the 2ⁿ paths through n blocks."""

from __future__ import annotations

from resnet_cli.analyses.cost import counts
from resnet_cli.analyses.field import paths as analysis
from resnet_cli.analyses.notation import several
from resnet_cli.answers.view import Model, View, about
from resnet_cli.models import load


def paths(model: Model) -> View:
    """How long the paths through the blocks are, and what they see of the input (Veit et al. 2016)."""
    network = load(model)
    distribution = analysis.lengths(network.rows)
    n = len(distribution) - 1
    first, last = (distribution[k] for k in analysis.most_paths(distribution))
    total = 2**n
    shown = f"{total:,}" if n <= 64 else analysis.scientific(total)
    notes = [
        f"2^{n} = {shown} paths: at each of {several(n, 'block')} through its body or past it (Veit et al. 2016)"
        if n
        else "one path: without shortcuts there is no way past a layer",
        f"at least 95% of the paths go through {first.blocks} to {last.blocks} blocks, "
        f"{first.layers} to {last.layers} of {distribution[-1].layers} layers",
        "layers: convolutions and linear layers, stem and classifier included; projections are not counted",
        "receptive field: pixels across before the global pooling, from the path that sees the least "
        "to the one that sees the most: blocks at a larger stride add more",
    ]
    if distribution[0].least is None:
        notes[-1] = (
            "receptive field: not given, as behind attention, resizing and what is not described it is no sum over blocks"
        )
    if not n:
        del notes[1]
    elif not getattr(network.spec, "preact", False):
        notes.append(
            "the ReLU after an addition is shared by the paths that meet in it; in pre-activation "
            "networks the output is a sum over them (He et al. 2016, equation 4)"
        )
    counted = {**counts.totals(network.rows), "blocks": n, "paths": total}
    rows = [length._asdict() for length in distribution]
    return about(network, "paths", [analysis.histogram(distribution)], notes, counted, rows=rows)
