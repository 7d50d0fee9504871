"""Regions of a program that run once, as they stand: under no_grad, under autocast, checkpointed.

torch.export makes a graph in one operation of each; here it gives way to what is in it.
"""

from __future__ import annotations

from resnet_cli.graphs.bodies import Body, renamed, written_out
from resnet_cli.graphs.graph import Graph, Node, Ref, bodies

ONCE = {
    "wrap_with_set_grad_enabled", "wrap_with_autocast", "tag_activation_checkpoint",
    "invoke_subgraph", "wrap", "wrap_activation_checkpoint",
}  # fmt: skip


def without_regions(graph: Graph) -> Graph:
    """The graph with the operations of each region in its place, regions inside of regions, too."""

    def inside(node: Node, before: int) -> Body | None:
        return _inside(node, f"{next(filter(None, node.outputs), node.name)}.{before}/")

    return written_out(graph, inside, "regions in one another")


def _inside(node: Node, prefix: str) -> Body | None:
    """A region's operations; an output that is an input of it, or is one twice, is an alias."""
    if node.domain != "higher_order" or node.operator.partition(".")[0] not in ONCE:
        return None
    graphs = bodies(node)
    if len(graphs) != 1 or len(graphs[0].inputs) != len(node.inputs):
        return None
    (body,) = graphs
    if len(body.outputs) != len(node.outputs):
        return None
    actual = dict(zip(body.inputs, node.inputs, strict=True))
    twice = []
    for name, output in zip(body.outputs, node.outputs, strict=True):
        if output and name in actual:
            twice.append((name, output))
        elif output:
            actual[name] = output
    nodes, tensors = renamed(body.nodes, body.tensors, prefix, actual)
    for name, output in twice:
        source = actual[name]
        nodes.append(
            Node(
                output,
                "alias.default",
                (source,),
                (output,),
                {"self": Ref(source)},
                "aten",
                node.modules,
            )
        )
    return nodes, tensors
