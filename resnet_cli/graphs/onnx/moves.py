"""Where ONNX's operators put the numbers that they move: their inputs and attributes -> moves, without the batch."""

from __future__ import annotations

from collections.abc import Mapping

from resnet_cli.graphs import moves
from resnet_cli.graphs.moves import Rule
from resnet_cli.graphs.op import Op
from resnet_cli.layers.moves import (
    Joined,
    Kept,
    Move,
    Padded,
    Part,
    Rearranged,
    Untold,
)


def move(op: Op, name: str) -> Move:
    """Where an operator puts the numbers of its first input, or of all inputs."""
    return moves.move(op, name, RULES)


def listed(op: Op, key: str, place: int) -> tuple[int, ...]:
    """Whole numbers that are an attribute in older versions and an input in newer ones.

    Raises `LookupError` where they are computed from data.
    """
    name = op.node.inputs[place] if place < len(op.node.inputs) else ""
    value = op.tensors[name].value if name else op.argument(key, ())
    if not isinstance(value, tuple) or not all(isinstance(part, int) for part in value):
        raise LookupError(key)
    return tuple(part for part in value if isinstance(part, int))


def _permuted(op: Op) -> Move:
    rank = len(op.dims(op.node.inputs[0]))
    order = op.numbers("perm", rank) if "perm" in op.node.attributes else tuple(range(rank))[::-1]
    cut = op.cut(op.node.inputs[0])
    return Rearranged(order=tuple(at - cut for at in order[op.cut(op.output) :]))


def _sliced(op: Op) -> Move:
    shape = op.shape(op.node.inputs[0])
    starts = listed(op, "starts", 1)
    axes = listed(op, "axes", 3) or tuple(range(len(starts)))
    steps = listed(op, "steps", 4) or (1,) * len(starts)
    parts = []
    for axis, start, step in zip(axes, starts, steps, strict=True):
        at = op.place("", axis)
        if at < 0:
            continue
        size = shape[at]
        first = min(max(start + size if start < 0 else start, 0), size - (step < 0))
        if step != 1 or first or op.result[at] != size:
            parts.append(Part(at, first, step))
    if len(parts) > 1:
        return Untold("it cuts several dimensions at once")
    return parts[0] if parts else Kept()


def _split(op: Op) -> Move:
    return moves.split(op, moves.dimension(op, "axis"))


def _gathered(op: Op) -> Move:
    """One along a dimension, or as many evenly apart as are named."""
    at = op.place("axis")
    value = op.tensors[op.node.inputs[1]].value
    if at < 0 or value is None or not all(isinstance(each, int) for each in value):
        raise LookupError("its places")
    size = op.shape(op.node.inputs[0])[at]
    places = [each % size for each in value if isinstance(each, int)]
    step = places[1] - places[0] if len(places) > 1 else 1
    if not step or places != [*range(places[0], places[0] + step * len(places), step)]:
        raise LookupError("its places")
    return Part(at, places[0], step)


def _padded(op: Op) -> Move:
    shape = op.dims(op.node.inputs[0])
    pads = listed(op, "pads", 1)
    axes = listed(op, "axes", 3) or tuple(range(len(shape)))
    before = [0] * len(shape)
    for axis, start in zip(axes, pads[: len(axes)], strict=True):
        before[axis] = start
    if op.argument("mode", "constant") == "wrap":
        return Untold("it is padded from its other side")
    return Padded(tuple(before[op.cut(op.node.inputs[0]) :]))


def _joined(op: Op) -> Move:
    at = op.place("axis")
    return Joined(at) if at >= 0 else Untold("the batch is made of several")


def _blocks(op: Op) -> Move:
    """Places of a square from channels, or channels from them (Shi et al. 2016)."""
    *leading, channels, height, width = op.shape(op.node.inputs[0])
    size, rank = op.number("blocksize", 1), len(leading)
    if op.node.operator == "SpaceToDepth":
        inner = (*leading, channels, height // size, size, width // size, size)
        order = (rank + 2, rank + 4, rank, rank + 1, rank + 3)
    elif op.argument("mode", "DCR") == "DCR":
        inner = (*leading, size, size, channels // size**2, height, width)
        order = (rank + 2, rank + 3, rank, rank + 4, rank + 1)
    else:
        inner = (*leading, channels // size**2, size, size, height, width)
        order = (rank, rank + 3, rank + 1, rank + 4, rank + 2)
    return Rearranged(inner, (*range(rank), *order))


RULES: Mapping[str, Rule] = {
    **dict.fromkeys(("Reshape", "Squeeze", "Unsqueeze", "Flatten", "Identity"), moves.viewed),
    **dict.fromkeys(("Expand", "Trilu"), moves.kept),
    "Transpose": _permuted, "Slice": _sliced, "Split": _split, "Gather": _gathered, "Pad": _padded,
    "Concat": _joined, "QLinearConcat": _joined, "Tile": moves.repeated,
    "DepthToSpace": _blocks, "SpaceToDepth": _blocks,
}  # fmt: skip
