"""What torch's flop counter and fvcore count on a network's module, with numbers only where it must be."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, TypeVar

from resnet_cli.answers.needs import fits
from resnet_cli.errors import UserError
from resnet_cli.inputs import Typed
from resnet_cli.networks import Network

if TYPE_CHECKING:
    from resnet_cli.pytorch.instance import Instance, Source
    from resnet_cli.pytorch.measure import CountsByPath

Counted = TypeVar("Counted")


def source(network: Network) -> Source:
    """Where the network's module is from. Raises `UserError` (exit 2) for a file of operations, which holds none."""
    if network.spec is None and network.origin.kind != "module":
        raise UserError(
            f"there is no module in a file of operations, {network.name}",
            "give what it was exported from: FILE.py:Net, timm:NAME or a listed name",
        )
    from resnet_cli.pytorch.instance import Source

    inputs = tuple(Typed(each.name, each.shape, each.dtype) for each in network.inputs)
    model = network.origin.source or network.name
    return Source(model, network.spec, network.module, inputs)


def instance(
    network: Network, device: str = "meta", seed: int | None = None
) -> AbstractContextManager[Instance]:
    """The network's module, without numbers or with its own initial ones, and what it is called with.

    Raises as `source`.
    """
    from resnet_cli.pytorch import instance as made

    return made.instance(source(network), device, seed)


def measured(network: Network, measure: Callable[[Instance], Counted]) -> Counted:
    """What is measured on the module without numbers, or where it does not run so, with them.

    Raises `UserError` for a file, and for what its code raises.
    """
    try:
        with instance(network) as called:
            return measure(called)
    except UserError:
        if network.origin.kind != "module":
            raise
    fits(network.rows)
    with instance(network, "cpu") as called:
        return measure(called)


def torch(network: Network) -> CountsByPath:
    """The counts of torch's flop counter. Raises as `measured`."""
    from resnet_cli.pytorch.measure import flop_counter

    return measured(network, flop_counter)


def fvcore(network: Network) -> CountsByPath:
    """fvcore's count, which takes numbers. Raises as `measured`, and for what fvcore cannot follow."""
    from resnet_cli.pytorch import measure
    from resnet_cli.pytorch.instance import of_image

    if network.spec is not None:
        with instance(network) as called:
            return measure.fvcore(of_image(measure.zeroed(called.module), network.input))
    fits(network.rows)
    with instance(network, "cpu") as called:
        return measure.fvcore(called)
