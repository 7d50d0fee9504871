"""What the heavy questions need besides: an installed torch, a spec to build from, memory enough."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib.util import find_spec
from math import prod

from resnet_cli.analyses.cost import counts
from resnet_cli.designs import zoo
from resnet_cli.errors import UserError
from resnet_cli.networks import Network
from resnet_cli.trace import Row


def need(command: str, *modules: str, extra: str = "torch") -> None:
    """Raises `UserError` (exit 1) that says what to install where a module is missing."""
    for module in modules:
        if find_spec(module) is None:
            raise UserError(
                f"{command} needs {module}, which is not installed",
                f"in the folder of the source type: pip install '.[{extra}]'",
                1,
            )


def described(network: Network) -> zoo.Spec:
    """The network's spec; raises `UserError` where nobody has described it."""
    if network.spec is None:
        raise UserError(f"{network.name} has no spec to build from", "give a name or a TOML file")
    return network.spec


def fits(rows: Sequence[Row], train_on: int = 0) -> None:
    """Raises `UserError` (exit 1) for a network that this machine's memory does not hold, in floats.

    One input is run, or so many are trained on, which keeps weights twice and every output.
    """
    weights = sum(map(counts.parameters, rows)) + sum(map(counts.buffers, rows))
    live = max(prod(row.input) + prod(row.output) for row in rows)
    if train_on:
        weights, live = 2 * weights, train_on * sum(prod(row.output) for row in rows)
    if not hasattr(os, "sysconf"):  # Windows does not say
        return
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if 4 * (weights + live) > memory:
        raise UserError(
            f"the network takes {4 * weights:,} bytes of weights and {4 * live:,} of activations, "
            f"over the {memory:,} bytes of this machine",
            "take a smaller width, input size or batch",
            1,
        )
