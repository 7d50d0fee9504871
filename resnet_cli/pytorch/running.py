"""A module is built and run once, without numbers if that works; one that was given stays as it was."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from resnet_cli.errors import UserError
from resnet_cli.graphs.graph import Graph
from resnet_cli.pytorch.build import Unfilled
from resnet_cli.pytorch.record import recorded

META, FROM_CPU, FAKE, REAL = "meta", "cpu, then meta", "fake tensors", "real tensors"
"""How a module ran: built there, too; built with its weights, and run without; …"""


class Sized(NamedTuple):
    """A tensor that a module is run on: zeros of this shape, with the batch."""

    shape: tuple[int, ...]
    dtype: str = "float32"


class Arguments(NamedTuple):
    """What a module is called with: `Sized`, tensors or anything else, also in lists and mappings."""

    args: Sequence[Any] = ()
    kwargs: Mapping[str, Any] = {}


def built_and_run(
    make: Callable[[], nn.Module], arguments: Callable[[nn.Module], Arguments]
) -> tuple[Graph, str]:
    """The graph of the module that ``make`` makes, and how it ran.

    Raises what the module raises where no way of running it works, and `UserError` (exit 1) for one
    that needs its weights' numbers and does not fit into memory.
    """
    ways = {
        META: lambda: torch.device("meta"),
        FROM_CPU: lambda: Unfilled({torch.empty}),
        FAKE: _fake_mode,
        REAL: nullcontext,
    }
    attempts, unbuilt = Attempts(), Attempts()
    with torch.random.fork_rng(devices=[]):
        for way, building in ways.items():
            try:
                with building():
                    module = make().eval()
            except Exception as problem:
                unbuilt.failed(way, problem)
                if way == REAL or unbuilt.repeated(problem, [META]):
                    raise
                continue
            rest = [each for each in ways if each not in attempts.problems and each != META]
            try:
                given = arguments(module)
                return _run(module, given, rest if way == REAL else [way], attempts)
            except Exception as problem:
                if way == REAL or attempts.is_own(way, problem):
                    raise
                _check_memory(module)
    raise AssertionError("no way was given")


def run(module: nn.Module, arguments: Arguments) -> tuple[Graph, str]:
    """The graph of a module that is there already, and how it ran; it stays as it was.

    Raises what the module raises where no way of running it works.
    """
    weightless = any(parameter.is_meta for parameter in module.parameters())
    with torch.random.fork_rng(devices=[]):
        return _run(module, arguments, [META] if weightless else [META, FAKE, REAL], Attempts())


class Attempts:
    """The error of each way that did not work."""

    def __init__(self) -> None:
        self.problems: dict[str, tuple[type, str]] = {}

    def failed(self, way: str, problem: Exception) -> None:
        self.problems[way] = (type(problem), str(problem))

    def repeated(self, problem: Exception, ways: Sequence[str]) -> bool:
        """Whether it is the same again, and not that numbers are missing on the meta device."""
        again = (type(problem), str(problem)) in [self.problems.get(way) for way in ways]
        return again and "meta" not in str(problem).lower()

    def is_own(self, way: str, problem: Exception) -> bool:
        """Whether it is no matter of numbers or devices, as fake tensors raise it, too."""
        return way == FAKE and self.repeated(problem, [META, FROM_CPU])


def _run(
    module: nn.Module, arguments: Arguments, ways: Sequence[str], attempts: Attempts
) -> tuple[Graph, str]:
    """The graph, and the first way that works."""
    for way in ways:
        try:
            with untouched(module):
                return _graph(module, arguments, way), way
        except Exception as problem:
            attempts.failed(way, problem)
            if way == ways[-1] or attempts.is_own(way, problem):
                raise
    raise AssertionError("no way was given")


def _fake_mode() -> Any:
    """Tensors that know a device, and have no numbers; some modules go on only with these."""
    from torch._subclasses.fake_tensor import FakeTensorMode

    return FakeTensorMode(allow_non_fake_inputs=True)


def _graph(module: nn.Module, arguments: Arguments, way: str) -> Graph:
    with switches():
        if way == FAKE:
            modes = (getattr(tensor, "fake_mode", None) for tensor in module.parameters())
            with next(filter(None, modes), None) or _fake_mode() as mode:  # that it was built in
                args, kwargs = made(arguments, lambda tensor: mode.from_tensor(tensor), "cpu")
                return recorded(module, args, kwargs, meta=False)
        if way == REAL:
            device = next((parameter.device for parameter in module.parameters()), "cpu")
            args, kwargs = made(arguments, lambda tensor: tensor, device)
            with kept_buffers(module):
                return recorded(module, args, kwargs, meta=False)
        for lazy in filter(is_lazy, module.parameters()):  # its shape comes of a first run
            args, kwargs = made(arguments, lambda tensor: tensor, lazy.device)
            with torch.no_grad():
                module(*args, **kwargs)
            break
        args, kwargs = made(arguments, _without_numbers, "meta")
        return recorded(module, args, kwargs)


def made(
    arguments: Arguments, converted: Callable[[Tensor], Tensor], device: Any
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments with tensors to run on, given ones ``converted``: integers always have numbers, which masks and positions come from."""

    def made(value: Any) -> Any:
        if isinstance(value, Sized):
            dtype = getattr(torch, value.dtype)
            floats = dtype.is_floating_point or str(device) != "meta"
            return torch.zeros(value.shape, dtype=dtype, device=device if floats else "cpu")
        if isinstance(value, Tensor):
            return converted(value)
        if isinstance(value, Mapping):
            return {key: made(part) for key, part in value.items()}
        if type(value) in (list, tuple):
            return type(value)(map(made, value))
        return value

    return tuple(map(made, arguments.args)), {k: made(v) for k, v in arguments.kwargs.items()}


def _without_numbers(tensor: Tensor) -> Tensor:
    return torch.empty_like(tensor, device="meta") if tensor.is_floating_point() else tensor


def _check_memory(module: nn.Module) -> None:
    """Raises `UserError` (exit 1) where the weights alone would not fit into this machine's memory."""
    if not hasattr(os, "sysconf"):  # Windows does not say
        return
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    size = sum(tensor.numel() * tensor.element_size() for tensor in module.parameters())
    if size > memory * 0.8:
        raise UserError(
            f"the network does not run without its weights, which take {size:,} of this machine's {memory:,} bytes",
            "take a smaller one",
            1,
        )


@contextmanager
def untouched(module: nn.Module) -> Iterator[None]:
    """In evaluation for a while; what a run sets on a module or in its lists and mappings is set back."""
    parts = [*module.modules()]
    training = [part.training for part in parts]
    states = [
        (
            part,
            type(part),
            dict(vars(part)),
            [(v, v.copy()) for v in vars(part).values() if _holds(v)],
        )
        for part in parts
    ]
    lazy = [(p, type(p), p.data) for p in (*module.parameters(), *module.buffers()) if is_lazy(p)]
    for part in parts:
        part.training = False  # eval() may be the module's own, and do more
    try:
        yield
    finally:
        for tensor, was, data in lazy:
            tensor.data = data
            tensor.__class__ = was
        for part, kind, attributes, containers in states:
            if type(part) is not kind:  # a lazy one
                part.__class__ = kind
            vars(part).clear()
            vars(part).update(attributes)
            for container, content in containers:
                container.clear()
                container.extend(content) if isinstance(container, list) else container.update(
                    content
                )
        for part, trains in zip(parts, training, strict=True):
            part.training = trains


def _holds(value: object) -> bool:
    return isinstance(value, dict | list | set) and hasattr(value, "copy")


@contextmanager
def kept_buffers(module: nn.Module) -> Iterator[None]:
    """Whatever a run writes into buffers is undone."""
    before = [(buffer, buffer.clone()) for buffer in module.buffers() if not buffer.is_meta]
    try:
        yield
    finally:
        with torch.no_grad():
            for buffer, numbers in before:
                buffer.copy_(numbers)


@contextmanager
def switches() -> Iterator[None]:
    """Torch's compiler is off, and its short cut for attention, one operator that says little."""
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    logger = logging.getLogger("torch._subclasses.fake_tensor")  # it logs each error, too
    logger.disabled = True
    try:
        with torch.compiler.set_stance("force_eager"):
            yield
    finally:
        logger.disabled = False
        torch.backends.mha.set_fastpath_enabled(fast)
