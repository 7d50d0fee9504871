"""resnet-cli explain."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any

import typer

from resnet_cli.answers.explain import EXPLAINED, explain, ordered
from resnet_cli.commands.options import (
    CHECKPOINT,
    DTYPE,
    INPLACE,
    OPTIMIZER,
    about_a_network,
    words,
)
from resnet_cli.networks import Network
from resnet_cli.tables import Answer

WORDS = ("what", "model", "layer")


def in_any_order(command: Callable[..., None]) -> Callable[..., None]:
    """The same command with its WHAT before MODEL, where it reads as a sentence, or behind it."""
    signature = inspect.signature(command)
    order = sorted(signature.parameters.values(), key=lambda parameter: parameter.name != "what")

    @wraps(command)
    def run(*, depth: int | None, **given: Any) -> None:
        what, model, layer = ordered(depth, *(given[word] for word in WORDS))
        given |= {"what": what, "layer": layer, "model": model if depth is None else None}
        command(depth=depth, **given)

    run.__signature__ = signature.replace(parameters=order)  # type: ignore[attr-defined]
    return run


@in_any_order
@about_a_network
def command(
    network: Network,
    what: Annotated[
        str | None,
        typer.Argument(
            help=f"{', '.join(EXPLAINED)}; without one each in short.",
            **words((*EXPLAINED,), "WHAT"),
        ),
    ] = None,
    layer: Annotated[
        str | None, typer.Argument(help="A path of torch's (layer2.0.conv1) or a label (conv3_1).")
    ] = None,
    optimizer: OPTIMIZER = "momentum",
    dtype: DTYPE = "fp32",
    inplace: INPLACE = False,
    checkpoint: CHECKPOINT = False,
) -> Answer:
    """How a depth, parameter count, cost, memory, shape or receptive field comes about, step by step."""
    first, second = (network, None) if what is None else (what, network)
    return explain(
        first,
        second,
        layer,
        None,
        optimizer=optimizer,
        dtype=dtype,
        inplace=inplace,
        checkpoint=checkpoint,
    )
