"""resnet-cli compare."""

from __future__ import annotations

from typing import Annotated

import typer

from resnet_cli.analyses.compare import BLOCKS
from resnet_cli.answers.compare import compare
from resnet_cli.commands.options import answers, changeable, complete
from resnet_cli.tables import Answer

NAMED = f"Two or more blocks ({', '.join(BLOCKS)}) or networks."


@answers
@changeable("names")
def command(
    names: Annotated[
        list[str], typer.Argument(metavar="A B [C…]", help=NAMED, autocompletion=complete)
    ],
    channels: Annotated[int, typer.Option(help="Channels into and out of a block.")] = 256,
    size: Annotated[int, typer.Option(help="Height and width of a block's input.")] = 56,
) -> Answer:
    """Blocks or networks side by side, with ratios to the first."""
    return compare(*names, channels=channels, size=size)
