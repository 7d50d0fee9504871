"""The one walk: a tree of layers and an input shape become a row for each executed layer.

Every number of this project is a sum, a group or a small dynamic program over these rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from resnet_cli.errors import UserError
from resnet_cli.layers.leaves import Layer, Node, Residual, Sequence, Shape, Stage

INPUT = -1
"""What a row reads that reads the network's input."""


class Row(NamedTuple):
    """One executed layer.

    ``path`` is torch's dotted name, ``stage`` and ``label`` are the paper's (conv3_x, conv3_1).
    ``role`` is "main" for the layers that a paper counts, "shortcut" and "gate" for those beside.
    ``reads`` holds the indices of the rows whose outputs it takes; shapes are for one input.
    """

    path: str
    stage: str
    label: str
    role: str
    layer: Layer
    reads: tuple[int, ...]
    input: Shape
    output: Shape
    macs: int


def trace(net: Sequence, shape: Shape) -> list[Row]:
    """Every layer in the order of execution, which is also the order of the state dict.

    Raises `UserError` when the input is too small to reach the end.
    """
    rows: list[Row] = []

    def run(
        layer: Layer, at: str, stage: str, label: str, role: str, reads: tuple[int, ...]
    ) -> int:
        x = rows[reads[0]].output if reads[0] >= 0 else shape
        y = layer.output_shape(x)
        if min(y) < 1:
            raise UserError(
                f"an input of {shape[1]}×{shape[2]} is too small: {stage} would have no pixel left",
                "give a larger --input-size",
            )
        rows.append(Row(at, stage, label, role, layer, reads, x, y, layer.macs(x, y)))
        return len(rows) - 1

    def walk(
        parts: tuple[Node, ...], prefix: str, stage: str, label: str, role: str, last: int
    ) -> int:
        for node in parts:
            if isinstance(node, Layer):
                last = run(node, prefix + node.name, stage, label, role, (last,))
            elif isinstance(node, Stage):
                last = walk(node.parts, prefix, node.label, node.label, role, last)
            elif isinstance(node, Sequence):
                last = walk(
                    node.parts, f"{prefix}{node.name}.", stage, node.label or label, role, last
                )
            else:
                last = residual(node, prefix + node.name, stage, node.label or label, role, last)
        return last

    def residual(node: Residual, at: str, stage: str, label: str, role: str, last: int) -> int:
        inside = at + "."
        start = walk(node.before, inside, stage, label, role, last)
        gate = node.merge.kind == "scale"
        body = walk(node.body, inside, stage, label, "gate" if gate else role, start)
        side = walk(node.shortcut, inside, stage, label, "shortcut", start)
        named = inside + node.merge.name if node.merge.parameters() else at
        merged = run(node.merge, named, stage, label, role, (side, body))
        return walk(node.after, inside, stage, label, role, merged)

    walk(net.parts, "", "", "", "main", INPUT)
    return rows


def state_dict(rows: Iterable[Row]) -> dict[str, Shape]:
    """Every tensor's name and shape in torch's order: a layer's parameters, then its buffers."""
    tensors: dict[str, Shape] = {}
    for row in rows:
        for name, shape in (*row.layer.parameters().items(), *row.layer.buffers().items()):
            tensors[f"{row.path}.{name}"] = shape
    return tensors
