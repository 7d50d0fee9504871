"""A network's torch module and what it is called with: of its spec, built again as MODEL names it, or as given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from copy import deepcopy
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from resnet_cli.designs.zoo import Spec
from resnet_cli.inputs import Typed
from resnet_cli.layers.arithmetic import Shape
from resnet_cli.pytorch import doors
from resnet_cli.pytorch.build import build
from resnet_cli.pytorch.running import Arguments, Sized, made, untouched


class Source(NamedTuple):
    """Where a module is from: a spec, else one that was ``given`` with its input, else a MODEL that is Python.

    ``inputs`` are those of MODEL, with the batch.
    """

    model: str
    spec: Spec | None = None
    given: tuple[Any, Any] | None = None
    inputs: tuple[Typed, ...] = ()


class Instance(NamedTuple):
    """A module, and the arguments of one call of it."""

    module: nn.Module
    args: tuple[Any, ...]
    kwargs: dict[str, Any] = {}  # noqa: RUF012  (never changed)

    def run(self) -> Any:
        """What it returns."""
        return self.module(*self.args, **self.kwargs)


def of_image(module: nn.Module, shape: Shape) -> Instance:
    """A module called with one image of zeros, on the device that it is on itself."""
    device = next(module.parameters()).device
    return Instance(module, (torch.zeros(1, *shape, device=device),))


@contextmanager
def instance(source: Source, device: str = "meta", seed: int | None = None) -> Iterator[Instance]:
    """The module on zeros of its inputs, where its own code may run.

    On the meta device it has no numbers; on the CPU its own initial ones, by ``seed``, and one that was given
    is itself. Raises `UserError` (exit 1) for what its code raises.
    """
    with ExitStack() as stack:
        if source.spec is not None:
            module = build(source.spec, seed=seed, device=device)
            arguments = Arguments([Sized((1, *source.spec.input_shape))])
        elif source.given is not None:
            stack.enter_context(doors.theirs())
            held, given = source.given
            arguments = doors.as_arguments(given, held)
            module = stack.enter_context(_given(held, device))
        else:
            door = stack.enter_context(doors.opened(source.model))
            stack.enter_context(doors.theirs(door.root, doors.ITS_OWN))
            if door.module is not None:
                module = stack.enter_context(_given(door.module, device))
            else:
                stack.enter_context(torch.random.fork_rng(devices=[]))
                module = _built(door, source.model, device, seed)
            arguments = doors.typed(_by_place(source.inputs, module), module)
        place = next((tensor.device for tensor in module.parameters()), torch.device(device))
        args, kwargs = made(arguments, lambda tensor: tensor.to(place), place)
        called = Instance(module, args, kwargs)
        if any(map(is_lazy, module.parameters())):  # their shapes come of a first run
            with torch.no_grad(), untouched(module):
                called.run()
        yield called


@contextmanager
def _given(module: nn.Module, device: str) -> Iterator[nn.Module]:
    """A module that somebody holds: itself, and as it was afterwards; or a copy of it without numbers."""
    if device == "meta":
        tensors = [*module.parameters(), *module.buffers()]
        yield deepcopy(module, {id(tensor): _without_numbers(tensor) for tensor in tensors})
        return
    with untouched(module):
        yield module


def _without_numbers(tensor: Tensor) -> Tensor:
    if is_lazy(tensor):
        return tensor
    empty = torch.empty_like(tensor, device="meta")
    return nn.Parameter(empty, tensor.requires_grad) if isinstance(tensor, nn.Parameter) else empty


def _built(door: doors.Door, model: str, device: str, seed: int | None) -> nn.Module:
    """A module made anew: without numbers, or first with them where its constructor needs some."""
    if seed is not None:
        torch.manual_seed(seed)
    try:
        with torch.device(device) if device == "meta" else nullcontext():
            return doors.module_of(door.make(), model)
    except Exception:
        if device != "meta":
            raise
    return doors.module_of(door.make(), model).to(device)


def _by_place(inputs: Sequence[Typed], module: nn.Module) -> Sequence[Typed]:
    """The inputs by name where forward has all of these names, else in their order."""
    if {each.name for each in inputs} <= doors.parameters_of(module).keys():
        return inputs
    return [each._replace(name=None) for each in inputs]
