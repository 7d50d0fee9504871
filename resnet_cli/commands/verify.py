"""resnet-cli verify."""

from __future__ import annotations

from typing import Annotated

import typer

from resnet_cli.answers.verify import verify
from resnet_cli.commands.extras import progress
from resnet_cli.commands.options import answers, changeable, complete
from resnet_cli.errors import UserError
from resnet_cli.tables import Answer


@answers
@changeable("networks")
def command(
    networks: Annotated[
        list[str] | None,
        typer.Argument(metavar="[MODEL…]", help="Networks.", autocompletion=complete),
    ] = None,
    all: Annotated[bool, typer.Option("--all", help="Every network of the list.")] = False,
) -> Answer:
    """Every count by independent routes: the built module, fvcore, torch's flop counter, the papers."""
    if bool(networks) == all:
        raise UserError("no network named" if not all else "both MODEL and --all given",
                        "type names, such as resnet50, or --all")  # fmt: skip
    return verify(*networks or (), progress=progress)
