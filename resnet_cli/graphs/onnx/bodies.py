"""Graphs inside of operations put in their place: functions of the file, and the branch of an If that is taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

from resnet_cli.checkpoints.container.faults import bad, excerpt
from resnet_cli.graphs.graph import ACTIVATION, Graph, Module, Node, Tensor, Value

MOST_NODES = 200_000
MOST_TEXT = 64 << 20  # letters of the names that are made
MOST_DEPTH = 12  # of functions and graphs in one another


class Formal(NamedTuple):
    """An attribute inside of a function that is the caller's, by its name."""

    name: str


class Function(NamedTuple):
    """A function of the file; ``defaults`` are attributes that a caller may leave out."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    nodes: list[Node]
    tensors: dict[str, Tensor]
    defaults: dict[str, Value]


Functions: TypeAlias = Mapping[tuple[str, str], Function]


def expanded(graph: Graph, functions: Functions) -> Graph:
    """The graph with each call of a function as the operations that it is of.

    Raises `UserError` for functions that call one another in a circle, or grow beyond all bounds.
    """
    known: dict[tuple[str, str], int] = {}
    if sum(_grown(node, functions, known, 0) for node in graph.nodes) > MOST_NODES:
        raise bad(f"has more than {MOST_NODES:,} operations, its functions written out")
    tensors = dict(graph.tensors)
    nodes: list[Node] = []
    text = 0
    waiting = graph.nodes[::-1]
    while waiting:
        node = waiting.pop()
        function = functions.get((node.domain, node.operator))
        if function is None:
            nodes.append(node)
            continue
        inner, added = _called(node, function)
        text += size_of(inner, added)
        if text > MOST_TEXT:
            raise bad("has too long names, its functions written out")
        tensors.update({name: tensor for name, tensor in added.items() if name not in tensors})
        waiting += reversed(inner)
    return graph._replace(nodes=nodes, tensors=tensors)


def _grown(node: Node, functions: Functions, known: dict[tuple[str, str], int], depth: int) -> int:
    """How many operations one is, written out; ``known`` are functions that were asked for already."""
    key = node.domain, node.operator
    function = functions.get(key)
    if function is None:
        return 1
    if depth > MOST_DEPTH:
        raise bad(
            f"has functions that call one another without end, {excerpt(node.operator)} is one"
        )
    if key not in known:
        known[key] = sum(_grown(inner, functions, known, depth + 1) for inner in function.nodes)
    return known[key]


def _called(call: Node, function: Function) -> tuple[list[Node], dict[str, Tensor]]:
    """A function's operations, as one call has them."""
    actual = dict.fromkeys(function.inputs, "")
    actual.update(zip(function.inputs, call.inputs, strict=False))
    actual.update(zip(function.outputs, call.outputs, strict=False))
    label = call.name or call.operator
    parent = f"{call.modules[-1].path}." if call.modules else ""
    around = (*call.modules, Module(parent + label, call.operator))
    given = {**function.defaults, **call.attributes}
    nodes = []
    for node in function.nodes:
        attributes = {
            key: given.get(value.name) if isinstance(value, Formal) else value
            for key, value in node.attributes.items()
            if not (isinstance(value, Formal) and value.name not in given)
        }
        nodes.append(node._replace(attributes=attributes, modules=(*around, *node.modules)))
    first = next(filter(None, call.outputs), label)
    return renamed(nodes, function.tensors, f"{first}/", actual)


def size_of(nodes: Sequence[Node], tensors: Mapping[str, Tensor]) -> int:
    """Letters of all names."""
    return sum(map(len, tensors)) + sum(len(node.name) for node in nodes)


def branch(node: Node, taken: bool) -> tuple[list[Node], dict[str, Tensor]] | None:
    """The operations of an If's branch, and its tensors; each output is an Identity of the branch's."""
    body = node.attributes.get("then_branch" if taken else "else_branch")
    if not isinstance(body, Graph) or len(body.outputs) != len(node.outputs):
        return None
    prefix = f"{node.name or node.outputs[0]}/"
    nodes, tensors = renamed(body.nodes, body.tensors, prefix, {})
    inner = {name: prefix + name for name in body.tensors}
    for name, output in zip(body.outputs, node.outputs, strict=True):
        source = inner.get(name, name)
        nodes.append(
            Node(prefix + name, "Identity", (source,), (output,), {}, modules=node.modules)
        )
    return nodes, tensors


def renamed(
    nodes: Sequence[Node], tensors: Mapping[str, Tensor], prefix: str, actual: Mapping[str, str]
) -> tuple[list[Node], dict[str, Tensor]]:
    """Operations and tensors under the names that they have outside, others behind a prefix."""
    names = {name: prefix + name for name in tensors}
    names.update(actual)
    own = {
        names[name]: tensor._replace(name=names[name])
        for name, tensor in tensors.items()
        if names[name] and not (name in actual and tensor.kind != ACTIVATION)
    }
    return [_node(node, prefix, names) for node in nodes], own


def _node(node: Node, prefix: str, names: Mapping[str, str]) -> Node:
    return node._replace(
        name=prefix + node.name,
        inputs=tuple(names.get(name, name) for name in node.inputs),
        outputs=tuple(names.get(name, name) for name in node.outputs),
        attributes={key: _value(value, prefix, names) for key, value in node.attributes.items()},
    )


def _value(value: Value, prefix: str, names: Mapping[str, str]) -> Value:
    """An attribute; in a graph, what it reads of the outside goes by its new name."""
    if not isinstance(value, Graph):
        return value
    outer = {name: new for name, new in names.items() if name not in value.tensors}
    nodes = [_node(node, prefix, outer) for node in value.nodes]
    outputs = tuple(outer.get(name, name) for name in value.outputs)
    return value._replace(nodes=nodes, outputs=outputs)
