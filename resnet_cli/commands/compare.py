"""resnet-cli compare."""

from __future__ import annotations

from typing import Annotated

import typer

from resnet_cli import models
from resnet_cli.analyses import compare
from resnet_cli.commands.options import answers, complete
from resnet_cli.designs import limits
from resnet_cli.errors import UserError
from resnet_cli.tables import Answer
from resnet_cli.trace import trace

NAMED = f"Two or more blocks ({', '.join(compare.BLOCKS)}) or networks."


@answers
def command(
    names: Annotated[
        list[str], typer.Argument(metavar="A B [C…]", help=NAMED, autocompletion=complete)
    ],
    channels: Annotated[int, typer.Option(help="Channels into and out of a block.")] = 256,
    size: Annotated[int, typer.Option(help="Height and width of a block's input.")] = 56,
) -> Answer:
    """Blocks or networks side by side, with ratios to the first."""
    if not 2 <= len(names) <= 64:
        raise UserError(
            f"{len(names)} to compare", "give two or more, 64 at most: basic bottleneck"
        )
    limits.within("channels", channels, limits.CHANNELS)
    limits.within("size", size, limits.PIXELS)
    blocks = compare.blocks_among(names)
    if blocks:
        return _blocks(blocks, channels, size)
    specs = [models.load(name) for name in names]
    traced = [(spec.name, trace(spec.net(), spec.input_shape)) for spec in specs]
    sizes = dict.fromkeys("×".join(map(str, spec.input_shape)) for spec in specs)
    note = f"MACs: convolution and linear layers, the papers' FLOPs; inputs of {', '.join(sizes)}"
    return Answer({"command": "compare", "rows": []}, compare.networks(traced), [note])


def _blocks(names: list[str], channels: int, size: int) -> Answer:
    tables = [
        compare.blocks(names, [channels] * len(names), size, "rows", f"At {channels} channels")
    ]
    shallow = [compare.BLOCKS[name]["block"] == "basic" for name in names]
    if any(shallow) and not all(shallow) and channels % 4 == 0:
        title = "At similar cost (He et al. 2015, Figure 5)"
        each = [channels // 4 if basic else channels for basic in shallow]
        tables.append(compare.blocks(names, each, size, "figure5", title))
    rows = tables[0].rows
    notes = [
        f"{names[0]} has {rows[0][2] / row[2]:.2f} times the weights of {row[0]}"
        for row in rows[1:]
        if row[2] < rows[0][2]
    ]
    norms = ", ".join(f"{compare.norms(n, channels, size):,} in {n}" for n in dict.fromkeys(names))
    notes.append(
        f"weights: of convolutions; batch norm's are apart ({norms}); "
        f"MACs for one input of {size}×{size}"
    )
    return Answer({"command": "compare", "rows": []}, tables, notes)
