"""resnet-cli compare."""

from __future__ import annotations

from typing import Annotated

import typer

from resnet_cli.analyses.compare.blocks import BLOCKS
from resnet_cli.analyses.levels import LEVELS
from resnet_cli.answers.compare import compare
from resnet_cli.commands import options
from resnet_cli.commands.options import answers, changeable, complete
from resnet_cli.tables import Answer

NAMED = f"Two or more networks, blocks ({', '.join(BLOCKS)}), or two weight files."


@answers
@changeable("names")
def command(
    names: Annotated[
        list[str], typer.Argument(metavar="A B [C…]", help=NAMED, autocompletion=complete)
    ],
    level: Annotated[str | None, options.level(LEVELS)] = None,
    changed: Annotated[bool, typer.Option("--changed", help="Only what differs.")] = False,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit 1 where anything differs, as git diff.")
    ] = False,
    channels: Annotated[
        int | None, typer.Option(help="Channels into and out of a block: 256.")
    ] = None,
    size: Annotated[
        int | None, typer.Option(help="Height and width of a block's input: 56.")
    ] = None,
) -> Answer:
    """What differs: fields, totals and rows of two networks, tensors of two files, costs of blocks."""
    return compare(
        *names,
        channels=channels,
        size=size,
        level=level,
        changed=changed,
        exit_code=exit_code,
    )
