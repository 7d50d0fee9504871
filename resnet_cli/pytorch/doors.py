"""A MODEL that is Python -> the graph of its module, built and run once.

timm:NAME, torchvision:NAME, hf:FOLDER (libraries.py), FILE.py:OBJECT and package.module:OBJECT, each
with literal arguments in parentheses. Weights are never loaded.
"""

from __future__ import annotations

import importlib
import os
import re
import signal
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from functools import cache
from importlib import import_module, util
from inspect import Parameter, Signature, isfunction, signature
from types import ModuleType
from typing import Any, NamedTuple

import torch
from torch import nn

from resnet_cli import calls, signals
from resnet_cli.errors import UserError, did_you_mean, printable
from resnet_cli.graphs.graph import Graph
from resnet_cli.inputs import Typed
from resnet_cli.pytorch import record
from resnet_cli.pytorch.running import Arguments, Sized, built_and_run, run

IMAGE = (3, 224, 224)
FILE = r"(?s)(.+\.py):(.*)"
MOST_LISTED = 8
ITS_OWN = "the error is that code's own; with RESNET_CLI_DEBUG=1 all of its lines are shown"


class Door(NamedTuple):
    """How a module is made, or one that is there already; what it is called with where nobody says.

    ``usual`` gives that for so many inputs at once. ``root`` is the folder in whose lines an error is
    looked for; ``library`` whose it is, and its ``version``.
    """

    make: Callable[[], Any]
    usual: Callable[[nn.Module, int], Arguments]
    module: nn.Module | None = None
    root: str = ""
    library: str = ""
    version: str = ""


class Ran(NamedTuple):
    """A module's graph, how it ran, and the version of the library that built it."""

    graph: Graph
    how: str
    version: str


def ran(model: str, inputs: Sequence[Typed] = (), batch: int = 1) -> Ran:
    """What MODEL names, built and run once on ``inputs``, or on ``batch`` of its usual ones.

    Raises `UserError` for what does not exist or fit (exit 2), and for what its own code raises, with
    the line that did (exit 1).
    """
    with opened(model) as door:
        return _ran(door, model, inputs, batch)


@contextmanager
def opened(model: str) -> Iterator[Door]:
    """What MODEL names, where its own code may run. Raises as `ran`."""
    file = re.fullmatch(FILE, model)
    folder = os.path.dirname(os.path.abspath(file[1])) if file else os.getcwd()
    with _apart(folder):
        door = _door(model, file)
        with _quiet() if door.library else redirect_stdout(sys.stderr):
            yield door


def ran_on(module: nn.Module, input: Any = None) -> Ran:
    """A module that is there already, run once: on a shape, a tensor, a tuple of these or a mapping by name.

    Raises `UserError` (exit 1) for what it raises.
    """
    with theirs(forward="" if input is not None else "give what it takes: input=(1, 3, 224, 224)"):
        graph, how = run(module, as_arguments(input, module))
    return Ran(graph, how, f"torch {torch.__version__}")


def as_arguments(input: Any, module: nn.Module) -> Arguments:
    """What a module is run on, as Python gives it; an image where that is nothing."""
    if input is None:
        return image(module, 1)
    return _as_arguments(input)


def _as_arguments(input: Any) -> Arguments:
    if isinstance(input, Mapping):
        return Arguments((), {name: _as_argument(value) for name, value in input.items()})
    whole = isinstance(input, torch.Tensor) or _is_shape(input)
    return Arguments([_as_argument(each) for each in ([input] if whole else input)])


def _as_argument(value: Any) -> Any:
    return Sized(tuple(value)) if _is_shape(value) else value


def _is_shape(value: Any) -> bool:
    return isinstance(value, tuple | list) and all(type(side) is int for side in value)


def _ran(door: Door, model: str, inputs: Sequence[Typed], batch: int) -> Ran:
    def make() -> nn.Module:
        return module_of(door.make(), model)

    def arguments(module: nn.Module) -> Arguments:
        return typed(inputs, module) if inputs else door.usual(module, batch)

    usual = "input_ids=1x128:int64" if door.library == "transformers" else "1x3x224x224"
    with theirs(door.root, "" if inputs else f"type what it takes, such as --input {usual}"):
        if door.module is not None:
            graph, how = run(door.module, arguments(door.module))
        else:
            graph, how = built_and_run(make, arguments)
    return Ran(graph, how, door.version or f"torch {torch.__version__}")


def image(module: nn.Module, batch: int) -> Arguments:
    """An image of ImageNet's size, where nobody knows better."""
    return Arguments([Sized((batch, *IMAGE))])


def typed(inputs: Sequence[Typed], module: nn.Module) -> Arguments:
    """The inputs as arguments: those with a name by it. Raises `UserError` for one that forward has not."""
    sized = [(name, Sized(shape, dtype or "float32")) for name, shape, dtype in inputs]
    parameters = parameters_of(module).values()
    names = [each.name for each in parameters if each.kind not in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)]  # fmt: skip
    for name, _ in sized:
        if name and name not in names and not any(p.kind is Parameter.VAR_KEYWORD for p in parameters):  # fmt: skip
            raise UserError(
                f"{type(module).__name__} takes no input named {printable(name, 80)!r}",
                did_you_mean(name, names) or f"it takes: {', '.join(names)}",
            )
    args = [each for name, each in sized if not name]
    return Arguments(args, {name: each for name, each in sized if name})


def parameters_of(module: nn.Module) -> Mapping[str, Parameter]:
    """What its forward takes, by name; nothing where that cannot be told."""
    return _signature(module.forward).parameters


def in_order(
    args: tuple[Any, ...], kwargs: Mapping[str, Any], module: nn.Module
) -> tuple[Any, ...]:
    """All arguments of a call by their place.

    Raises `ValueError` where forward takes some by name alone, or one is left out between them.
    """
    bound = _signature(module.forward).bind(*args, **kwargs)
    if bound.kwargs:
        raise ValueError("it takes inputs by name")
    return bound.args


def _signature(function: Callable[..., Any]) -> Signature:
    try:
        return signature(function)
    except (TypeError, ValueError):
        return signature(lambda *args, **kwargs: None)


# what MODEL names


def _door(model: str, file: re.Match[str] | None) -> Door:
    prefix, _, rest = model.replace("timm/", "timm:", 1).partition(":")
    if prefix in ("timm", "torchvision", "hf"):
        from resnet_cli.pytorch import libraries

        doors = {"timm": libraries.timm, "torchvision": libraries.torchvision, "hf": libraries.hf}
        with _quiet(), theirs():
            return doors[prefix](rest)
    path, call = (file[1], calls.parsed(file[2])) if file else (prefix, calls.parsed(rest))
    if file:
        if not os.path.isfile(path):
            raise UserError(f"no such file: {printable(path)!r}", "give a file that exists", 1)
        root = os.path.dirname(os.path.abspath(path))
        with theirs(root), redirect_stdout(sys.stderr):
            held = _loaded(os.path.abspath(path), os.stat(path).st_mtime_ns)
    else:
        root = os.getcwd()
        with theirs(root), redirect_stdout(sys.stderr):
            held = _imported(path)
    return _of_object(_object(held, call.name, path), call, root)


@cache
def _loaded(path: str, changed: int) -> ModuleType:
    """The module of a file, run once, under a name that nothing else has."""
    stem = re.sub(r"\W", "_", os.path.basename(path)[:-3])
    name = f"_resnet_cli_{stem}_{abs(hash(path)):x}"
    spec = util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UserError(f"{printable(path)!r} cannot be imported", "give a file of Python")
    module = util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look there
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _imported(name: str) -> ModuleType:
    try:
        return import_module(name)
    except ModuleNotFoundError as problem:
        if problem.name and f"{name}.".startswith(f"{problem.name}."):
            raise UserError(
                f"no module named {problem.name[:80]!r}, neither installed nor in this folder",
                "type PATH.py:OBJECT for a file, or a listed name: resnet-cli list",
            ) from None
        raise


def _object(held: ModuleType, name: str, where: str) -> Any:
    """What a module holds by this name. Raises `UserError` that lists what it has."""
    value: Any = held
    for part in name.split("."):
        if not hasattr(value, part):
            raise _nothing_like(held, name, where)
        value = getattr(value, part)
    return value


def _nothing_like(held: ModuleType, name: str, where: str) -> UserError:
    names = [
        key
        for key, value in vars(held).items()
        if not key.startswith("_")
        and (isinstance(value, nn.Module) or _makes(value))
        and getattr(value, "__module__", held.__name__) == held.__name__
    ]
    names = names or [key for key, value in vars(held).items() if key[0] != "_" and _makes(value)]
    listed = ", ".join(names[:MOST_LISTED]) + ", …" * (len(names) > MOST_LISTED)
    what = f"{printable(where, 80)!r} has no {printable(name, 80)!r}" if name else f"no object of {printable(where, 80)!r} is named"  # fmt: skip
    return UserError(
        what, did_you_mean(name, names) or f"it has: {listed or 'no class or function'}"
    )


def _makes(value: object) -> bool:
    return isfunction(value) or (isinstance(value, type) and issubclass(value, nn.Module))


def _of_object(value: Any, call: calls.Call, root: str) -> Door:
    """A class, a function or a module. Raises `UserError` for arguments that it does not take."""
    if isinstance(value, nn.Module):
        if call.arguments:
            raise UserError(f"{call.name} is a module already", f"type it without (…): {call.name}")
        return Door(lambda: value, image, value, root)
    if not callable(value) or (isinstance(value, type) and not issubclass(value, nn.Module)):
        raise _no_module(value, call.name)
    parameters = _signature(value)
    try:
        parameters.bind(*call.args, **call.kwargs)
    except TypeError as problem:
        raise UserError(
            f"{call.name}: {problem}",
            f"it takes {call.name}{printable(str(parameters))}, in quotes",
        ) from None
    return Door(lambda: value(*call.args, **call.kwargs), image, None, root)


def module_of(made: object, model: str) -> nn.Module:
    """What MODEL made. Raises `UserError` (exit 2) where that is no module."""
    if not isinstance(made, nn.Module):
        raise _no_module(made, f"what {printable(model, 80)!r} makes")
    return made


def _no_module(value: object, what: str) -> UserError:
    kind = "class" if isinstance(value, type) else type(value).__name__
    return UserError(
        f"{what} is a {kind}, no torch.nn.Module", "give a class, a function or a module"
    )


# where their code runs


@contextmanager
def _apart(folder: str) -> Iterator[None]:
    """Modules of a folder can be imported; arguments of this program are none of theirs."""
    argv = sys.argv
    sys.path.insert(0, folder)
    sys.argv = argv[:1]
    try:
        yield
    finally:
        sys.argv = argv
        if folder in sys.path:
            sys.path.remove(folder)


@contextmanager
def _quiet() -> Iterator[None]:
    """A library's warnings are not for who asks about its network; what it prints is no result."""
    with warnings.catch_warnings(), redirect_stdout(sys.stderr):
        warnings.simplefilter("ignore")
        yield


@contextmanager
def theirs(root: str = "", forward: str = "") -> Iterator[None]:
    """What their code raises, or exits with, becomes a `UserError` (exit 1) that says where.

    ``forward`` is the hint where the module was running.
    """
    try:
        yield
    except UserError:
        raise
    except (Exception, SystemExit, KeyboardInterrupt) as problem:
        ended = signal.getsignal(signal.SIGINT) is signals.end  # then Ctrl-C raises nothing
        if isinstance(problem, KeyboardInterrupt) and not ended:
            raise
        lines = _lines(problem)
        hint = ITS_OWN
        if forward and any(file == record.__file__ for file, _ in lines):
            hint = forward
        if isinstance(problem, ImportError) and "relative import" in str(problem):
            hint = "type package.module:OBJECT, in the folder that the package is in"
        text = str(problem)
        said = printable(f"{type(problem).__name__}{': ' * bool(text)}{text}", 600)
        raise UserError(_place(lines, root) + said, hint, 1) from problem


def _lines(problem: BaseException) -> list[tuple[str, int]]:
    """File and number of the lines that an error came through, the innermost last."""
    lines = []
    trace = problem.__traceback__
    while trace is not None:
        lines.append((trace.tb_frame.f_code.co_filename, trace.tb_lineno))
        trace = trace.tb_next
    if isinstance(problem, SyntaxError) and problem.filename:
        lines.append((problem.filename, problem.lineno or 1))
    return lines


def _place(lines: list[tuple[str, int]], root: str) -> str:
    """The innermost line of theirs, in ``root`` if there is one."""
    ours = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    others = (os.path.dirname(torch.__file__), ours, os.path.dirname(importlib.__file__), "<")
    theirs = [line for line in lines if not line[0].startswith(others)]
    own = [line for line in theirs if root and line[0].startswith(root + os.sep)]
    for file, number in (own or theirs)[-1:]:
        below = file.startswith(os.getcwd() + os.sep)
        return f"{os.path.relpath(file) if below else file}:{number}: "
    return ""
