"""resnet-cli explain."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated

import typer

from resnet_cli.answers.explain import EXPLAINED, explain
from resnet_cli.commands.options import about_a_network
from resnet_cli.networks import Network
from resnet_cli.tables import Answer


def what_comes_first(command: Callable[..., None]) -> Callable[..., None]:
    """The same command with its WHAT before MODEL, where it reads as a sentence."""
    given = inspect.signature(command)
    ordered = sorted(given.parameters.values(), key=lambda parameter: parameter.name != "what")
    command.__signature__ = given.replace(parameters=ordered)  # type: ignore[attr-defined]
    return command


@what_comes_first
@about_a_network
def command(
    network: Network,
    what: Annotated[str, typer.Argument(help=f"{', '.join(EXPLAINED)}.")],
    layer: Annotated[
        str | None, typer.Argument(help="A path of torch's (layer2.0.conv1) or a label (conv3_1).")
    ] = None,
) -> Answer:
    """How a depth, parameter count, cost or shape comes about, step by step with the numbers in."""
    return explain(what, network, layer)
