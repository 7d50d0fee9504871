"""compare(): blocks or networks side by side."""

from __future__ import annotations

from collections.abc import Sequence

from resnet_cli.analyses import compare as analysis
from resnet_cli.analyses.cost import counts
from resnet_cli.analyses.elsewhere import elsewhere
from resnet_cli.answers.view import Model, View, beside
from resnet_cli.designs import limits
from resnet_cli.errors import UserError
from resnet_cli.networks import load


def compare(*models: Model, channels: int = 256, size: int = 56) -> View:
    """Two or more blocks (basic, bottleneck, ...) or networks, with ratios to the first.

    ``channels`` and ``size`` (height and width) are of a block's input. Raises `UserError` for blocks
    beside networks.
    """
    if not 2 <= len(models) <= 64:
        raise UserError(
            f"{len(models)} to compare", "give two or more, 64 at most: basic bottleneck"
        )
    limits.within("channels", channels, limits.CHANNELS)
    limits.within("size", size, limits.PIXELS)
    blocks = analysis.blocks_among([model if isinstance(model, str) else "" for model in models])
    if blocks:
        return _blocks(blocks, channels, size)
    networks = [load(model) for model in models]
    sizes = dict.fromkeys(network.size for network in networks)
    rows = [row for network in networks for row in network.rows]
    note = (
        f"MACs: {counts.multiplied(rows)} layers, the papers' FLOPs; inputs of {', '.join(sizes)}"
    )
    tables, stages = analysis.networks(networks), analysis.stages(networks)
    keys = [column.key for column in tables[0].columns]
    lines = [
        {**dict(zip(keys, row, strict=True)), "source": network.origin.source}
        for row, network in zip(tables[0].rows, networks, strict=True)
    ]
    return beside(
        networks, "compare", tables, [note, *elsewhere(networks)], rows=lines, stages=stages
    )


def _blocks(names: Sequence[str], channels: int, size: int) -> View:
    each = [channels] * len(names)
    tables = [analysis.blocks(names, each, size, "rows", f"At {channels} channels")]
    shallow = [analysis.BLOCKS[name]["block"] == "basic" for name in names]
    if any(shallow) and not all(shallow) and channels % 4 == 0:
        title = "At similar cost (He et al. 2015, Figure 5)"
        each = [channels // 4 if basic else channels for basic in shallow]
        tables.append(analysis.blocks(names, each, size, "figure5", title))
    rows = tables[0].rows
    notes = [
        f"{names[0]} has {rows[0][2] / row[2]:.2f} times the weights of {row[0]}"
        for row in rows[1:]
        if row[2] < rows[0][2]
    ]
    norms = ", ".join(
        f"{analysis.norms(name, channels, size):,} in {name}" for name in dict.fromkeys(names)
    )
    notes.append(
        f"weights: of convolutions; batch norm's are apart ({norms}); "
        f"MACs for one input of {size}×{size}"
    )
    return View({"command": "compare", "rows": []}, tables, notes)
