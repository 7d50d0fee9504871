"""Where torch's operators put the numbers that they move: aten's arguments -> moves, without the batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from resnet_cli.graphs import moves
from resnet_cli.graphs.moves import Rule
from resnet_cli.graphs.op import Op, Undescribed
from resnet_cli.layers.moves import (
    Columns,
    Flipped,
    Joined,
    Move,
    Padded,
    Part,
    Rearranged,
    Repeated,
    Rolled,
    Unfolded,
    Untold,
)


def move(op: Op, name: str) -> Move:
    """Where an operator puts the numbers of its first input, or of all inputs."""
    return moves.move(op, name, RULES)


def _dims(op: Op) -> tuple[int, ...]:
    return op.dims(op.node.inputs[0])


def _ordered(op: Op, order: Sequence[int]) -> Move:
    """Dimensions in another order: the batch is in none, where tensors lead with it."""
    cut = op.cut(op.node.inputs[0])
    full = [at % len(order) - cut for at in order]
    return Rearranged(order=tuple(full[op.cut(op.output) :]))


def _permuted(op: Op) -> Move:
    return _ordered(op, op.numbers("dims", len(_dims(op))))


def _swapped(op: Op) -> Move:
    order = [*range(len(_dims(op)))]
    keys = ("dim0", "dim1") if "dim0" in op.node.attributes else ("axis0", "axis1")
    a, b = (op.number(key, 0) for key in keys)
    order[a], order[b] = order[b], order[a]
    return _ordered(op, order)


def _turned(op: Op) -> Move:
    order = [*range(len(_dims(op)))]
    if op.node.operator.startswith("mT"):
        order[-2:] = order[:-3:-1]
        return _ordered(op, order)
    return _ordered(op, order[::-1])


def _moved(op: Op) -> Move:
    rank = len(_dims(op))
    source = [at % rank for at in op.numbers("source", 1)]
    target = [at % rank for at in op.numbers("destination", 1)]
    rest = iter(at for at in range(rank) if at not in source)
    to = dict(zip(target, source, strict=True))
    return _ordered(op, [to[at] if at in to else next(rest) for at in range(rank)])


def _slice(op: Op) -> Move:
    at = moves.dimension(op, "dim")
    size = op.shape(op.node.inputs[0])[at]
    start = op.number("start", 0)
    return Part(at, min(start + size if start < 0 else start, size), op.number("step", 1))


def _select(op: Op) -> Move:
    at = moves.dimension(op, "dim")
    return Part(at, op.number("index", 0) % op.shape(op.node.inputs[0])[at])


def _split(op: Op) -> Move:
    """One of several outputs; those before it are named."""
    at = moves.dimension(op, "dim")
    if op.node.operator.startswith("unbind"):
        return Part(at, len(moves.before(op)))
    return moves.split(op, at)


def _padded(op: Op) -> Move:
    pads = op.numbers("pad", 2)
    before = [0] * len(op.shape(op.node.inputs[0]))
    for at, start in enumerate(pads[::2], 1):
        before[-at] = start
    if op.argument("mode", "constant") == "circular":
        return Untold("it is padded from its other side")
    return Padded(tuple(before))


def _rolled(op: Op) -> Move:
    dims, by = op.numbers("dims", 0), op.numbers("shifts", 1)
    if not dims:
        raise Undescribed("it rolls all dimensions as one")
    places = [op.place("", at) for at in dims]
    return Rolled(tuple(pair for pair in zip(places, by, strict=True) if pair[0] >= 0))


def _flipped(op: Op) -> Move:
    return Flipped(tuple(op.place("", at) for at in op.numbers("dims", 0)))


def _joined(op: Op) -> Move:
    return Joined(moves.dimension(op, "dim"))


def _stacked(op: Op) -> Move:
    rank = len(op.dims(op.output))
    at = op.number("dim", 0) % rank - op.cut(op.output)
    return Joined(at, new=True) if at >= 0 else Untold("the batch is made of several")


def _interleaved(op: Op) -> Move:
    return Repeated(each=True)


def _unfolded(op: Op) -> Move:
    return Unfolded(moves.dimension(op, "dimension"), op.number("size"), op.number("step"))


def _columns(op: Op) -> Move:
    keys = ("kernel_size", "stride", "padding", "dilation")
    kernel, stride, padding, dilation = (op.numbers(key, 2)[:2] for key in keys)
    return Columns(
        (kernel[0], kernel[1]), (stride[0], stride[1]), (padding[0], padding[1]),
        (dilation[0], dilation[1]),
    )  # fmt: skip


def _shuffled(op: Op) -> Move:
    """Channels become places of a square, the rows first (Shi et al. 2016)."""
    *leading, channels, height, width = op.shape(op.node.inputs[0])
    factor = op.number("upscale_factor", 1)
    rank = len(leading)
    inner = (*leading, channels // factor**2, factor, factor, height, width)
    order = (*range(rank), rank, rank + 3, rank + 1, rank + 4, rank + 2)
    return Rearranged(inner, order)


def _unshuffled(op: Op) -> Move:
    *leading, channels, height, width = op.shape(op.node.inputs[0])
    factor = op.number("downscale_factor", 1)
    rank = len(leading)
    inner = (*leading, channels, height // factor, factor, width // factor, factor)
    order = (*range(rank), rank, rank + 2, rank + 4, rank + 1, rank + 3)
    return Rearranged(inner, order)


def _grouped(op: Op) -> Move:
    channels, *rest = op.shape(op.node.inputs[0])
    groups = op.number("groups", 1)
    inner = (groups, channels // groups, *rest)
    return Rearranged(inner, (1, 0, *range(2, len(inner))))


RULES: Mapping[str, Rule] = {
    **dict.fromkeys(
        ("view", "reshape", "_unsafe_view", "unflatten", "view_as", "reshape_as", "squeeze", "unsqueeze", "ravel",
         "detach", "alias", "lift_fresh_copy", "flatten"), moves.viewed,
    ),
    **dict.fromkeys(("expand", "expand_as", "broadcast_to", "tril", "triu", "copy"), moves.kept),
    "permute": _permuted, "transpose": _swapped, "swapaxes": _swapped, "swapdims": _swapped,
    "t": _turned, "numpy_T": _turned, "mT": _turned, "movedim": _moved,
    "slice": _slice, "narrow": _slice, "select": _select,
    **dict.fromkeys(
        ("split", "split_with_sizes", "chunk", "unbind", "tensor_split", "unsafe_chunk", "unsafe_split"), _split
    ),
    "pad": _padded, "constant_pad_nd": _padded, "roll": _rolled, "flip": _flipped,
    "cat": _joined, "concat": _joined, "concatenate": _joined, "stack": _stacked,
    "repeat": moves.repeated, "tile": moves.repeated, "repeat_interleave": _interleaved,
    "unfold": _unfolded, "im2col": _columns, "pixel_shuffle": _shuffled, "pixel_unshuffle": _unshuffled,
    "channel_shuffle": _grouped,
}  # fmt: skip
