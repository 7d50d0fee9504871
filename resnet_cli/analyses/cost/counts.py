"""Parameters, layers and operations as sums over rows. Everything is for one input."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import prod
from typing import Any

from resnet_cli.layers.arithmetic import value
from resnet_cli.trace import Row


def parameters(row: Row) -> int:
    """Learnable numbers of a layer; those that an earlier row has already count there."""
    tensors = row.layer.tensors()
    return sum([value(tensors[name]) for name in tensors if name not in row.shared])


def buffers(row: Row) -> int:
    """Running statistics of a layer, without torch's counter of batches."""
    if row.shared:
        return 0
    return sum(prod(shape) for shape in row.layer.buffers().values() if shape)


def operations(row: Row) -> int:
    """Elementary operations that are not MACs."""
    return row.times * row.layer.operations(row.inputs, row.output)


def is_counted(row: Row) -> bool:
    """Whether a paper counts it as a layer: a convolution or linear layer of the main path."""
    return row.role == "main" and row.layer.counted


def depth(rows: Sequence[Row]) -> int | None:
    """The layers that papers count: He et al. 2015, convolutions and linear layers of the main path.

    None where the rule means nothing: where such layers stand beside one another, not behind, or where
    the main path multiplies otherwise as well, as attention does.
    """
    deepest: list[int] = []
    layers = 0
    for row in rows:
        own = is_counted(row)
        if not own and row.role == "main" and row.macs:
            return None
        layers += own
        deepest.append(
            own + max([deepest[at] for at in row.reads if 0 <= at < len(deepest)], default=0)
        )
    return layers if layers == max(deepest, default=0) else None


def is_convolution(row: Row) -> bool:
    """Whether it is a convolution that a paper would count, on the main path or beside it."""
    return row.layer.convolution


def multiplies(row: Row) -> bool:
    """Whether it multiplies by weights as they are: convolutions, along channels too, and linear layers."""
    return row.macs > 0 and row.layer.as_stored and bool(row.layer.tensors())


def activations_of(rows: Iterable[Row]) -> list[int]:
    """Elements of each row's output where it is a convolution or a product of matrices, as fvcore and timm count.

    Attention in one operator, and a recurrent layer, have no tensor of scores or gates, and count nothing there:
    written out as products they do. Radosavovic et al. 2020, "Designing Network Design Spaces", who took it up
    for convolutions.
    """
    return _each(rows, lambda row: row.times * row.layer.activations(row.inputs, row.output))


def parameters_of(rows: Iterable[Row]) -> list[int]:
    """Each row's `parameters`."""
    return _each(rows, parameters)


def macs_of(rows: Iterable[Row]) -> list[int]:
    """Each row's multiply-accumulates."""
    return _each(rows, lambda row: row.macs)


def _each(rows: Iterable[Row], count: Callable[[Row], int]) -> list[int]:
    """The count of each row, made once for a layer that stands in several blocks and reads the same."""
    known: dict[tuple[object, ...], int] = {}
    counts = []
    for row in rows:
        key = (id(row.layer), row.inputs, row.shared, row.times)
        if key not in known:
            known[key] = count(row)
        counts.append(known[key])
    return counts


def macs(rows: Iterable[Row]) -> int:
    """Multiply-accumulates of all rows."""
    return sum(macs_of(rows))


def totals(rows: Iterable[Row]) -> dict[str, Any]:
    """JSON's "total": params, buffers, macs, flops (2 a MAC), layers, convolutions, projections, gates.

    ``layers`` is the `depth`;
    ``convolutions`` are all of them, of which ``projections`` stand on shortcuts and ``gates`` in
    squeeze-excitation.
    """
    rows = list(rows)
    convolutions = list(filter(is_convolution, rows))
    cost = macs(rows)
    return {
        "params": sum(parameters_of(rows)),
        "buffers": sum(_each(rows, buffers)),
        "macs": cost,
        "flops": 2 * cost,
        "layers": depth(rows),
        "convolutions": len(convolutions),
        "projections": sum(row.role == "shortcut" for row in convolutions),
        "gates": sum(row.role == "gate" for row in convolutions),
    }


def multiplied(rows: Iterable[Row]) -> str:
    """The kinds of layers that have MACs, in words: `convolution and linear`."""
    one_of_each = {row.layer.operator: row for row in rows}
    kinds = sorted(
        (kind for kind, row in one_of_each.items() if row.macs),
        key=lambda kind: (kind == "linear", kind),
    )
    return " and ".join(filter(None, [", ".join(kinds[:-1]), *kinds[-1:]])) or "no"
