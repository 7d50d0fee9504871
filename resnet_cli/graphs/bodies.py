"""A graph inside of an operation put in its place: under names that nothing else has, within limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from resnet_cli.checkpoints.container.faults import bad
from resnet_cli.graphs.graph import ACTIVATION, Graph, Node, Ref, Tensor, Value

MOST_NODES = 200_000
MOST_TEXT = 64 << 20  # letters of the names that are made
MOST_DEPTH = 12  # of graphs and functions in one another
Body: TypeAlias = tuple[list[Node], dict[str, Tensor]]
"""What takes an operation's place: operations, and the tensors that they make."""


def written_out(graph: Graph, inside: Callable[[Node, int], Body | None], whole: str) -> Graph:
    """The graph with what is ``inside`` of its operations in their place, and of what is in there.

    ``inside`` takes an operation and how many there are before it; None leaves it as it is. Raises
    `UserError` where the names grow too long, by which ``whole`` says what was written out.
    """
    tensors = dict(graph.tensors)
    nodes: list[Node] = []
    text = 0
    waiting = graph.nodes[::-1]
    while waiting:
        node = waiting.pop()
        body = inside(node, len(nodes))
        if body is None:
            nodes.append(node)
            continue
        inner, added = body
        text += size_of(inner, added)
        if text > MOST_TEXT:
            raise bad(f"has {whole} with too long names")
        tensors.update({name: tensor for name, tensor in added.items() if name not in tensors})
        waiting += reversed(inner)
    return graph._replace(nodes=nodes, tensors=tensors)


def size_of(nodes: Sequence[Node], tensors: Mapping[str, Tensor]) -> int:
    """Letters of all names."""
    return sum(map(len, tensors)) + sum(len(node.name) for node in nodes)


def renamed(
    nodes: Sequence[Node], tensors: Mapping[str, Tensor], prefix: str, actual: Mapping[str, str]
) -> Body:
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
    if isinstance(value, Ref):
        return Ref(names.get(value.name, value.name))
    if type(value) is tuple:
        return tuple(_value(part, prefix, names) for part in value)
    if not isinstance(value, Graph):
        return value
    outer = {name: new for name, new in names.items() if name not in value.tensors}
    nodes = [_node(node, prefix, outer) for node in value.nodes]
    outputs = tuple(outer.get(name, name) for name in value.outputs)
    return value._replace(nodes=nodes, outputs=outputs)
