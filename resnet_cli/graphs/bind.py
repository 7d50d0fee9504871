"""Open sizes get numbers: a graph and the shapes of its inputs, or its symbols' values -> the graph solved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from resnet_cli.errors import UserError, did_you_mean, printable
from resnet_cli.graphs.graph import Dim, Dims, Graph, Node, Open, Range, Tensor, Value
from resnet_cli.graphs.sizes import Unreadable, evaluated, names


class Missing(NamedTuple):
    """A size that nobody gave: its symbol, "" where it has none; at which place of which input."""

    symbol: str
    input: str
    at: int


def missing(graph: Graph, dims: Mapping[str, int]) -> list[Missing]:
    """What must still be given, each symbol where it is first met; ``at`` -1: not even a rank is known."""
    met: set[str] = set(dims)
    result = []
    for name in graph.inputs:
        shape = graph.tensors[name].shape
        if shape is None:
            result.append(Missing("", name, -1))
        for at, size in enumerate(shape or ()):
            if size is None:
                result.append(Missing("", name, at))
            elif isinstance(size, str):
                result += [Missing(symbol, name, at) for symbol in names(size) if symbol not in met]
                met.update(names(size))
    return result


def bound(
    graph: Graph,
    shapes: Mapping[str, tuple[int, ...]] | None = None,
    dims: Mapping[str, int] | None = None,
    batch: int = 1,
) -> Graph:
    """The graph with the inputs' ``shapes`` and the symbols' values ``dims``, by name.

    A size that nobody gives is ``batch`` where it leads an input: one without a name, or with one that
    stands nowhere else in inputs. Raises `UserError`
    (exit 2) where sizes contradict the file or one another, or are missing.
    """
    values = dict(dims or {})
    for symbol in values:
        if symbol not in graph.symbols:
            known = ", ".join(graph.symbols) or "it has none"
            raise UserError(
                f"no open size is named {printable(symbol)!r}",
                did_you_mean(symbol, graph.symbols) or f"open sizes: {known}",
            )
    tensors = dict(graph.tensors)
    for name, shape in (shapes or {}).items():
        if name not in graph.inputs:
            raise UserError(
                f"no input is named {printable(name)!r}", f"inputs: {', '.join(graph.inputs)}"
            )
        _match(name, tensors[name], shape, values)
        tensors[name] = tensors[name]._replace(shape=shape)
    for name in graph.inputs:
        own = tensors[name].shape
        if own and own[0] is None:
            tensors[name] = tensors[name]._replace(shape=(batch, *own[1:]))
    given = graph._replace(tensors=tensors)
    for symbol in _leading(given):
        values.setdefault(symbol, batch)
    open_still = missing(given, values)
    if open_still:
        raise _open(open_still)
    for symbol, value in values.items():
        _check(symbol, value, graph.symbols.get(symbol, Range()))
    for name, shape in (shapes or {}).items():  # sizes that are expressions agree, too
        _agree(name, graph.tensors[name].shape, shape, values)
    return _solved(given, values)


def _match(name: str, tensor: Tensor, shape: tuple[int, ...], values: dict[str, int]) -> None:
    """Takes the symbols of an input's shape from a given one."""
    own = tensor.shape
    if own is None:
        return
    if len(own) != len(shape):
        raise UserError(
            f"input {printable(name)!r} has {len(own)} dimensions, not {len(shape)}",
            f"its shape is {written(own)}",
        )
    for at, (size, wanted) in enumerate(zip(own, shape, strict=True)):
        if isinstance(size, int) and size != wanted:
            raise UserError(
                f"input {printable(name)!r} is fixed to {size} at place {at + 1}, not {wanted}",
                f"its shape is {written(own)}; export it with dynamic sizes for others",
            )
        symbol = size if isinstance(size, str) and names(size) == [size] else ""
        if symbol and values.setdefault(symbol, wanted) != wanted:
            raise UserError(
                f"{printable(symbol)!r} is {values[symbol]} elsewhere, and {wanted} in input "
                f"{printable(name)!r}",
                "give inputs and sizes that fit each other",
            )


def _agree(name: str, own: Dims | None, shape: tuple[int, ...], values: Mapping[str, int]) -> None:
    for size, wanted in zip(own or (), shape, strict=False):
        number = _number(size, values)
        if number is not None and number != wanted:
            raise UserError(
                f"input {printable(name)!r} has {wanted} where {printable(str(size))} is {number}",
                "give inputs and sizes that fit each other",
            )


def _leading(graph: Graph) -> list[str]:
    """The symbols that stand at the front of inputs, and nowhere else in them."""
    first: dict[str, None] = {}
    others: set[str] = set()
    for name in graph.inputs:
        for at, size in enumerate(graph.tensors[name].shape or ()):
            if isinstance(size, str) and (at or names(size) != [size]):
                others.update(names(size))
            elif isinstance(size, str):
                first[size] = None
    return [symbol for symbol in first if symbol not in others]


def _open(parts: list[Missing]) -> UserError:
    said = [
        f"{printable(symbol) or 'a size'} ({f'place {at + 1} of ' if at >= 0 else ''}"
        f"input {printable(name)!r})"
        for symbol, name, at in parts[:8]
    ]
    more = f" and {len(parts) - 8} more" if parts[8:] else ""
    first = parts[0]
    hint = f"--dim {first.symbol}=N" if first.symbol else f"--input {first.input}=1x3x224x224"
    return UserError(
        f"{'a size is' if len(parts) == 1 else 'sizes are'} open: {', '.join(said)}{more}",
        f"give {printable(hint)}" + ("" if len(parts) == 1 else ", and so on"),
    )


def _check(symbol: str, value: int, limits: Range) -> None:
    least = limits.least if limits.least is not None else 1
    if value < least or (limits.most is not None and value > limits.most):
        most = f" to {limits.most}" if limits.most is not None else " on"
        raise UserError(
            f"{printable(symbol)!r} may not be {value}", f"the file takes {least}{most} there"
        )


def _number(size: Dim, values: Mapping[str, int]) -> int | None:
    if not isinstance(size, str):
        return size
    try:
        return evaluated(size, values)
    except Unreadable:
        return None


def _solved(graph: Graph, values: Mapping[str, int]) -> Graph:
    """Every expression as its number, where it has one."""
    known: dict[str, Dim] = {}

    def solved(size: Dim) -> Dim:
        if not isinstance(size, str):
            return size
        if size not in known:
            known[size] = _number(size, values)
        return known[size]

    def tensor(old: Tensor) -> Tensor:
        if old.strides and any(isinstance(stride, str) for stride in old.strides):
            old = old._replace(strides=tuple(map(solved, old.strides)))
        if old.shape is None or not any(isinstance(size, str) for size in old.shape):
            return old
        shape = tuple(map(solved, old.shape))
        why = ""
        if None in shape:
            first = old.shape[shape.index(None)]
            why = f"its size {printable(str(first), 80)} depends on the data"
        return old._replace(shape=shape, why=why)

    def value(old: Value) -> Value:
        if type(old) is Open:
            size = solved(old.text)
            return size if isinstance(size, int) else old
        if isinstance(old, tuple) and type(old) is tuple:
            return tuple(value(part) for part in old)
        return _solved(old, values) if isinstance(old, Graph) else old

    def node(old: Node) -> Node:
        if not any(type(part) in (Open, tuple, Graph) for part in old.attributes.values()):
            return old
        return old._replace(attributes={key: value(part) for key, part in old.attributes.items()})

    return graph._replace(
        tensors={name: tensor(old) for name, old in graph.tensors.items()},
        nodes=[node(old) for old in graph.nodes],
    )


def written(shape: Dims) -> str:
    """A shape in words: batch×3×224×224."""
    return "×".join("?" if size is None else printable(str(size), 80) for size in shape)
