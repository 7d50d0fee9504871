"""resnet-cli memory."""

from __future__ import annotations

from typing import Annotated

import typer

from resnet_cli.analyses.levels import LEVELS
from resnet_cli.answers.memory import memory
from resnet_cli.commands import options
from resnet_cli.commands.options import CHECKPOINT, DTYPE, INPLACE, OPTIMIZER, about_a_network
from resnet_cli.networks import Network
from resnet_cli.tables import Answer


@about_a_network
def command(
    network: Network,
    optimizer: OPTIMIZER = "momentum",
    dtype: DTYPE = "fp32",
    inplace: INPLACE = False,
    checkpoint: CHECKPOINT = False,
    level: Annotated[str | None, options.level(LEVELS)] = None,
    budget: Annotated[
        str | None, typer.Option(help="Whether it fits into so much memory: 24GiB; exit 1 if not.")
    ] = None,
) -> Answer:
    """Memory of a batch by stage: weights, gradients, optimiser, saved activations, live peak."""
    return memory(
        network, None, optimizer=optimizer, dtype=dtype, inplace=inplace, checkpoint=checkpoint,
        budget=budget, level=level,
    )  # fmt: skip
