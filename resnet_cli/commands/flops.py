"""resnet-cli flops."""

from __future__ import annotations

from typing import Annotated

import typer

from resnet_cli.answers.flops import flops
from resnet_cli.commands.options import about_a_network
from resnet_cli.networks import Network
from resnet_cli.tables import Answer


@about_a_network
def command(
    network: Network,
    by: Annotated[
        str | None, typer.Option(help="A row for each stage (default), block, layer or operator.")
    ] = None,
    unit: Annotated[
        str | None, typer.Option(help="Which comes first: mac (default), or flop (two a MAC).")
    ] = None,
    engine: Annotated[
        str | None,
        typer.Option(help="Who counts the MACs: trace (default), fvcore, torch; those two run it."),
    ] = None,
    convention: Annotated[
        str | None, typer.Option(help="Count by another tool's rule: fvcore, thop, torchinfo, ...")
    ] = None,
    reconcile: Annotated[
        bool,
        typer.Option("--reconcile", help="What each tool prints, and the way there from ours."),
    ] = False,
    backward: Annotated[
        bool, typer.Option("--backward", help="MACs of a training step: forward and gradients.")
    ] = False,
) -> Answer:
    """The cost of one input: MACs by stage with a bar, then by operator."""
    return flops(network, by, unit, engine, convention, reconcile, backward)
