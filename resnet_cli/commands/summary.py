"""resnet-cli summary."""

from __future__ import annotations

from typing import Annotated

import typer

from resnet_cli.answers.summary import summary
from resnet_cli.commands.options import about_a_network
from resnet_cli.networks import Network
from resnet_cli.tables import Answer


@about_a_network
def command(
    network: Network,
    level: Annotated[str, typer.Option(help="A row for each stage, block or layer.")] = "stage",
    convention: Annotated[
        str | None, typer.Option(help="Count by another tool's rule: fvcore, thop, torchinfo, ...")
    ] = None,
) -> Answer:
    """The architecture by stage, block or layer, with parameters and MACs."""
    return summary(network, level, convention)
