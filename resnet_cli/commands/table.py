"""resnet-cli table."""

from __future__ import annotations

from typing import Annotated

import typer

from resnet_cli.answers.table import table
from resnet_cli.commands.options import answers, changeable, complete
from resnet_cli.tables import Answer


@answers
@changeable("networks")
def command(
    networks: Annotated[
        list[str] | None,
        typer.Argument(help="Other networks than the paper's.", autocompletion=complete),
    ] = None,
) -> Answer:
    """Table 1 of He et al. 2015: networks side by side, blocks, output sizes and FLOPs."""
    return table(*networks or ())
