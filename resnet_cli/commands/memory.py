"""resnet-cli memory."""

from __future__ import annotations

from typing import Annotated

import typer

from resnet_cli.analyses.memory.memory import STATES
from resnet_cli.analyses.memory.storage import PRECISIONS
from resnet_cli.answers.memory import memory
from resnet_cli.commands import options
from resnet_cli.commands.options import about_a_network
from resnet_cli.networks import Network
from resnet_cli.tables import Answer

OPTIMIZER = Annotated[
    str,
    typer.Option(help="sgd, momentum (sgd with it), adam or adamw.", **options.words((*STATES,))),
]
DTYPE = Annotated[
    str,
    typer.Option(
        help="fp32, fp16, bf16 or amp (autocast to half).", **options.words((*PRECISIONS,))
    ),
]
INPLACE = Annotated[
    bool, typer.Option("--inplace/--no-inplace", help="ReLU in place; our modules': not.")
]
CHECKPOINT = Annotated[
    bool, typer.Option("--checkpoint", help="Keep a block's input, run the block again.")
]


@about_a_network
def command(
    network: Network,
    optimizer: OPTIMIZER = "momentum",
    dtype: DTYPE = "fp32",
    inplace: INPLACE = False,
    checkpoint: CHECKPOINT = False,
    budget: Annotated[
        str | None, typer.Option(help="The largest batch in so much memory: 24GiB.")
    ] = None,
) -> Answer:
    """Memory of a batch by stage: weights, gradients, optimiser, saved activations, live peak."""
    return memory(
        network, None, optimizer=optimizer, dtype=dtype, inplace=inplace, checkpoint=checkpoint,
        budget=budget,
    )  # fmt: skip
