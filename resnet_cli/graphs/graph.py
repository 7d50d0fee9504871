"""Graph: what a file says of a network, in one form for every format; nothing is decided here.

Readers (`onnx/`, `pt2.py`) make it, `bind.py` gives its open sizes numbers, `onnx/shapes.py` fills in
shapes that a file leaves out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeAlias

from resnet_cli.checkpoints.container.faults import bad, excerpt
from resnet_cli.errors import UserError

Dim: TypeAlias = int | str | None
"""A size: a number; a name or an expression of names as `sizes.py` reads it, `4*s0`; None: not known."""
Dims: TypeAlias = tuple[Dim, ...]
Element: TypeAlias = int | float | str | None
"""A number of a constant that sizes come from; one that is a size may be open, too."""

INPUT, PARAMETER, BUFFER, CONSTANT, ACTIVATION = (
    "input", "parameter", "buffer", "constant", "activation",
)  # fmt: skip
"""Kinds of tensors. A constant is a number in the file that nobody learned, as far as can be told."""


class Tensor(NamedTuple):
    """A tensor without its numbers; ``shape`` and ``dtype`` (torch's name for it) None where not known.

    ``value`` has a small constant's numbers in row-major order, which sizes are computed from; a
    ``path`` is the module's name of a parameter or buffer, ``layer1.0.conv1.weight``. ``why`` says for a
    shape of None, or one with a None in it, what it is not known for. ``strides`` are torch's, None where
    the file has none: numbers lie in the order of their places.
    """

    name: str
    kind: str
    shape: Dims | None = None
    dtype: str | None = None
    value: tuple[Element, ...] | None = None
    path: str = ""
    why: str = ""
    strides: Dims | None = None


class Module(NamedTuple):
    """A module around an operation; ``kind`` is its class, "" where the file does not say.

    ``call`` counts the calls of one module before this one, as far as the file tells them apart.
    """

    path: str
    kind: str = ""
    call: int = 0


MOST_MODULES = 100


def nested(modules: Iterable[Module]) -> tuple[Module, ...]:
    """The modules around an operation; raises `UserError` where they are too many in one another."""
    whole = tuple(modules)
    if any(
        at >= MOST_MODULES or path.count(".") >= MOST_MODULES
        for at, (path, _, _) in enumerate(whole)
    ):
        raise bad(f"has modules in one another more than {MOST_MODULES} deep")
    return whole


class Ref(NamedTuple):
    """A tensor as the argument of an operation that names its arguments."""

    name: str


class Open(NamedTuple):
    """A size as an argument: an expression, as `sizes.py` reads it."""

    text: str


class Unread(NamedTuple):
    """A value that was left in the file: what it is, and its bytes or parts."""

    what: str
    size: int


Value: TypeAlias = (
    "int | float | str | bool | Ref | Open | Tensor | Graph | Unread | tuple[Value, ...] | None"
)


class Node(NamedTuple):
    """An operation.

    ``inputs`` and ``outputs`` are names of tensors, "" where an optional one is left out. In a .pt2
    ``attributes`` has every argument by its name, tensors as `Ref`; in an .onnx those beside the
    inputs. A body (of an If, a Loop, a higher-order operator) is a `Graph` among them, never run.
    ``modules`` are those around it, outermost first, without the network itself; ``source`` is
    FILE:LINE.
    """

    name: str
    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Value]
    domain: str = ""
    modules: tuple[Module, ...] = ()
    source: str = ""


class Range(NamedTuple):
    """What a symbol may be; None is no limit."""

    least: int | None = None
    most: int | None = None


class Graph(NamedTuple):
    """A network: operations in an order in which they can run, tensors by name.

    ``format`` is onnx or pt2, ``version`` the format's, ``producer`` the program that wrote it. A body
    inside a node has none of these, and may read tensors of the graphs around it.
    """

    nodes: list[Node]
    tensors: dict[str, Tensor]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    name: str = ""
    format: str = ""
    version: str = ""
    producer: str = ""
    opsets: Mapping[str, int] = {}
    symbols: Mapping[str, Range] = {}
    notes: tuple[str, ...] = ()


def bodies(node: Node) -> list[Graph]:
    """The graphs among a node's attributes, which it runs or not as it sees fit."""
    return [
        part
        for value in node.attributes.values()
        for part in (value if type(value) is tuple else (value,))
        if isinstance(part, Graph)
    ]


def within(node: Node) -> list[Node]:
    """The operations in a node's bodies, in those of these, and so on."""
    return [
        each for body in bodies(node) for inner in body.nodes for each in (inner, *within(inner))
    ]


def captured(node: Node) -> list[str]:
    """What the bodies inside of an operation read of the graph around it."""
    return [
        name
        for body in bodies(node)
        for inner in body.nodes
        for name in (*inner.inputs, *captured(inner))
        if name not in body.tensors
    ]


def ordered(nodes: list[Node], known: Iterable[str]) -> list[Node]:
    """The nodes, each behind those it reads: as they stand wherever that is so already.

    Raises `UserError` where two make one tensor, one reads what nothing makes, or they are in a circle.
    """
    made = set(known)
    sorted_already = True
    for node in nodes:
        sorted_already = sorted_already and all(
            not name or name in made for name in (*node.inputs, *captured(node))
        )
        for name in node.outputs:
            if name and name in made:
                raise bad(f"makes {excerpt(name)} twice", "a graph gives each tensor once")
            made.add(name)
    return nodes if sorted_already else _sorted(nodes, made)


def _sorted(nodes: list[Node], made: set[str]) -> list[Node]:
    maker = {name: at for at, node in enumerate(nodes) for name in node.outputs if name}
    waits: list[int] = []
    readers: list[list[int]] = [[] for _ in nodes]
    for at, node in enumerate(nodes):
        before = {maker[name] for name in (*node.inputs, *captured(node)) if name in maker}
        waits.append(len(before))
        for earlier in before:
            readers[earlier].append(at)
        for name in node.inputs:
            if name and name not in made:
                raise _nothing_makes(name, node)
    from heapq import heapify, heappop, heappush

    ready = [at for at, count in enumerate(waits) if not count]
    heapify(ready)
    order = []
    while ready:
        at = heappop(ready)
        order.append(nodes[at])
        for later in readers[at]:
            waits[later] -= 1
            if not waits[later]:
                heappush(ready, later)
    if len(order) < len(nodes):
        circle = next(node for node, count in zip(nodes, waits, strict=True) if count)
        raise bad(
            f"has operations in a circle, {excerpt(circle.name or circle.operator)} among them",
            "no order exists in which they could run",
        )
    return order


def _nothing_makes(name: str, node: Node) -> UserError:
    reader = excerpt(node.name or node.operator)
    return bad(f"has {reader} read {excerpt(name)}, which nothing makes")
