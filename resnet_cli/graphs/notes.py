"""What a person should know of a graph that its rows do not say: classes of modules, and what is not as usual."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from resnet_cli.errors import printable
from resnet_cli.graphs.graph import Graph
from resnet_cli.trace import Row, modules


def classes(graph: Graph) -> dict[str, str]:
    """The class of each module, by its path, where the graph says it."""
    return {
        module.path: printable(module.kind.rpartition(".")[2], 80)
        for node in graph.nodes
        for module in node.modules
        if module.kind
    }


def unusual(graph: Graph, rows: Sequence[Row], batch: int) -> list[str]:
    """Notes on parameters that nothing reads, norms that are not there, and a ``batch`` that is not the file's."""
    return [*_multiplied(graph, batch), *_unread(rows), *_folded(graph)]


def _multiplied(graph: Graph, batch: int) -> list[str]:
    """Whether costs are of more inputs than the file is of."""
    first = graph.tensors[graph.inputs[0]].shape or (batch,)
    if batch == 1 or first[0] == batch:
        return []
    return [f"the file is of a batch of {first[0]}: costs are multiplied for {batch:,}"]


def _unread(rows: Sequence[Row]) -> list[str]:
    """Which parameters no operation reads: they are counted."""
    read = {at for row in rows for at in row.reads}
    unread = [
        row
        for at, row in enumerate(rows)
        if not row.reads and at not in read and row.layer.tensors()
    ]
    if not unread:
        return []
    number = sum(prod(shape) for row in unread for shape in row.layer.parameters().values())
    holders = [*dict.fromkeys(printable(modules(row.path)[0], 40) for row in unread)]
    more = f" and {len(holders) - 4} more" if holders[4:] else ""
    return [f"{number:,} parameters are read by no operation: of {', '.join(holders[:4])}{more}"]


def _folded(graph: Graph) -> list[str]:
    """How many norms an exporter made part of convolutions, as far as it says so."""
    if graph.format != "onnx":
        return []
    folded = sum(
        "BatchNorm" in node.modules[-1].kind and node.operator == "Conv"
        for node in graph.nodes
        if node.modules
    )
    if not folded:
        return []
    return [
        f"{folded} batch norms are folded into convolutions: their parameters and operations are not there, "
        "and training is not such a file's subject"
    ]
