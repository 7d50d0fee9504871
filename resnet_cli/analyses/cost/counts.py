"""Parameters, layers and operations as sums over rows. Everything is for one input."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from typing import Any

from resnet_cli.trace import Row


def parameters(row: Row) -> int:
    """Learnable numbers of a layer."""
    return sum(map(prod, row.layer.parameters().values()))


def buffers(row: Row) -> int:
    """Running statistics of a layer, without torch's counter of batches."""
    return sum(prod(shape) for shape in row.layer.buffers().values() if shape)


def operations(row: Row) -> int:
    """Elementary operations that are not MACs."""
    return row.layer.operations(row.input, row.output)


def is_counted(row: Row) -> bool:
    """Whether a paper counts it as a layer: a convolution or linear layer of the main path."""
    return row.role == "main" and row.layer.kind in ("convolution", "linear")


def totals(rows: Iterable[Row]) -> dict[str, Any]:
    """JSON's "total": params, buffers, macs, flops (2 a MAC), layers, convolutions, projections.

    ``layers`` are the convolutions and linear layers of the main path, as the papers count;
    ``convolutions`` are all of them, gates and projections included.
    """
    rows = list(rows)
    convolutions = [row for row in rows if row.layer.kind == "convolution"]
    macs = sum(row.macs for row in rows)
    return {
        "params": sum(map(parameters, rows)),
        "buffers": sum(map(buffers, rows)),
        "macs": macs,
        "flops": 2 * macs,
        "layers": sum(map(is_counted, rows)),
        "convolutions": len(convolutions),
        "projections": sum(row.role == "shortcut" for row in convolutions),
    }
