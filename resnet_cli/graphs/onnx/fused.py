"""A product with a matrix of weights and the bias added to it, two operations of ONNX, as one, which torch has."""

from __future__ import annotations

from collections import Counter

from resnet_cli.graphs.graph import PARAMETER, Graph, Node, captured


def fused(graph: Graph) -> Graph:
    """The graph with a MatMul of three inputs in place of each MatMul and Add of one linear layer."""
    readers = Counter(name for node in graph.nodes for name in (*node.inputs, *captured(node)))
    readers.update(graph.outputs)
    products: dict[str, Node] = {}
    biased: dict[str, Node] = {}  # what a product gives out -> product and bias in one
    for node in graph.nodes:
        if (
            node.operator == "MatMul"
            and not node.domain
            and _is_parameter(graph, node.inputs[1:2], 2)
        ):
            products[node.outputs[0]] = node
        elif node.operator == "Add" and not node.domain and len(node.inputs) == 2:
            for name, bias in (node.inputs, node.inputs[::-1]):
                product = products.get(name)
                alone = readers[name] == 1 and _is_parameter(graph, (bias,), 1)
                if product and alone and _width(graph, bias) == _width(graph, product.inputs[1]):
                    biased[name] = product._replace(
                        inputs=(*product.inputs, bias), outputs=node.outputs
                    )
    gone = {node.outputs for node in biased.values()}
    nodes = []
    for node in graph.nodes:
        whole = biased.get(node.outputs[0]) if node.outputs else None
        if whole:
            nodes.append(whole)
        elif node.operator != "Add" or node.outputs not in gone:
            nodes.append(node)
    return graph._replace(nodes=nodes)


def _is_parameter(graph: Graph, names: tuple[str, ...], rank: int) -> bool:
    tensor = graph.tensors.get(names[0]) if names else None
    return bool(tensor and tensor.kind == PARAMETER and tensor.shape and len(tensor.shape) == rank)


def _width(graph: Graph, name: str) -> object:
    shape = graph.tensors[name].shape
    return shape[-1] if shape else None
