"""resnet-cli figures."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from resnet_cli.answers.figures import figures
from resnet_cli.commands.options import answers, changeable, complete
from resnet_cli.tables import Answer


def _option(*flags: str, help: str) -> Any:
    return typer.Option(*flags, help=help, rich_help_panel="Which figures")


@answers
@changeable("models")
def command(
    models: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="MODEL", help="Of these networks: resnet50, ILSVRC15.", autocompletion=complete
        ),
    ] = None,
    paper: Annotated[
        str | None, _option("--paper", help="Of this paper: he2015, resnext, 1512.03385.")
    ] = None,
    paper_table: Annotated[
        str | None, _option("--paper-table", help="Of this table of it: 'Table 1', 'Sec 4.1'.")
    ] = None,
    every: Annotated[bool, _option("--all", help="Every figure, not its table's score.")] = False,
) -> Answer:
    """What papers and torchvision print beside our numbers, and how many figures agree."""
    return figures(*models or (), paper=paper, paper_table=paper_table, every=every)
