"""resnet-cli flops."""

from __future__ import annotations

from typing import Annotated

import typer

from resnet_cli.analyses.levels import LEVELS
from resnet_cli.answers.flops import ENGINES, UNITS, flops
from resnet_cli.commands import options
from resnet_cli.commands.options import about_a_network
from resnet_cli.networks import Network
from resnet_cli.tables import Answer


@about_a_network
def command(
    network: Network,
    level: Annotated[str | None, options.level(LEVELS)] = None,
    unit: Annotated[
        str | None,
        typer.Option(help="Which comes first, of two FLOPs a MAC.", **options.words(UNITS)),
    ] = None,
    engine: Annotated[
        str | None,
        typer.Option(
            help="Who counts: trace (default), fvcore, torch; those two run the network.",
            **options.words(ENGINES),
        ),
    ] = None,
    convention: Annotated[str | None, options.convention()] = None,
    reconcile: Annotated[
        bool,
        typer.Option("--reconcile", help="What each tool prints, and the way there from ours."),
    ] = False,
    backward: Annotated[
        bool, typer.Option("--backward", help="MACs of a training step: forward and gradients.")
    ] = False,
) -> Answer:
    """The cost of one input: MACs by stage with a bar, then by operator."""
    return flops(network, level, unit, engine, convention, reconcile, backward)
