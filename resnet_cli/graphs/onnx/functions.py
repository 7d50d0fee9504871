"""What takes an operation's place in an ONNX graph: a function's operations, and the branch of an If that is taken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

from resnet_cli.checkpoints.container.faults import bad, excerpt
from resnet_cli.graphs.bodies import MOST_DEPTH, MOST_NODES, Body, renamed, written_out
from resnet_cli.graphs.graph import Graph, Module, Node, Tensor, Value


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

    def inside(node: Node, _: int) -> Body | None:
        function = functions.get((node.domain, node.operator))
        return _called(node, function) if function else None

    return written_out(graph, inside, "functions in one another")


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


def _called(call: Node, function: Function) -> Body:
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


def branch(node: Node, taken: bool) -> Body | None:
    """The operations of an If's branch, and its tensors; each output is an Identity of the branch's."""
    body = node.attributes.get("then_branch" if taken else "else_branch")
    if not isinstance(body, Graph) or len(body.outputs) != len(node.outputs):
        return None
    prefix = f"{next(filter(None, node.outputs), node.name)}/"
    nodes, tensors = renamed(body.nodes, body.tensors, prefix, {})
    inner = {name: prefix + name for name in body.tensors}
    for name, output in zip(body.outputs, node.outputs, strict=True):
        source = inner.get(name, name)
        nodes.append(
            Node(prefix + name, "Identity", (source,), (output,), {}, modules=node.modules)
        )
    return nodes, tensors
