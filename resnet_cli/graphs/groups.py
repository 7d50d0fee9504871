"""Operations of one module that are a leaf together: option A's slices and padding, a pool over zeros, attention pools."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import NamedTuple

from resnet_cli.graphs.graph import Module
from resnet_cli.graphs.op import Op
from resnet_cli.layers.arithmetic import Shape
from resnet_cli.layers.base import Layer
from resnet_cli.layers.convolution import ChannelConv, Conv2d
from resnet_cli.layers.merging import GatedAdd, ScaledAdd
from resnet_cli.layers.pooling import HEAD, AttentionPool2d, MaxPool2d, ZeroPaddedMaxPool2d
from resnet_cli.layers.shaping import PadShortcut, Stored
from resnet_cli.layers.windows import Convolution


class Draft(NamedTuple):
    """A row before its place is known.

    ``label`` is what it is called in its module, ``own`` are tensors of the graph by their names in the layer.
    """

    layer: Layer
    reads: tuple[int, ...]
    inputs: tuple[Shape, ...]
    output: Shape
    label: str
    modules: tuple[Module, ...]
    own: tuple[tuple[str, str], ...] = ()
    op: Op | None = None


Made = tuple[Layer, tuple[int, ...]] | None
"""A leaf, and which rows it reads."""


def grouped(drafts: list[Draft], results: set[int]) -> list[Draft]:
    """The rows with one leaf in place of the operations of a module that are one together."""
    readers: dict[int, set[int]] = {}
    for at, draft in enumerate(drafts):
        for read in draft.reads:
            readers.setdefault(read, set()).add(at)
    places: dict[int, int] = {}
    kept: list[Draft] = []
    at = 0
    while at < len(drafts):
        end = at + 1
        modules = drafts[at].modules
        while modules and end < len(drafts) and _goes_on(drafts[end : end + 2], modules):
            end += 1
        inner = set(range(at, end - 1))
        closed = not inner & results and all(
            readers.get(part, set()) <= {*inner, end - 1} for part in inner
        )
        made = _leaf(drafts, range(at, end)) if end - at > 1 and closed else None
        if made:
            layer, reads = made
            last = drafts[end - 1]
            shape_of = {
                read: shape
                for part in drafts[at:end]
                for read, shape in zip(part.reads, part.inputs, strict=True)
            }
            names = layer.tensors()
            own = tuple(
                (name if name in names else tensor.rpartition(".")[2], tensor)
                for part in drafts[at:end]
                for name, tensor in part.own
            )
            group = last._replace(
                layer=layer, reads=reads, inputs=tuple(shape_of[read] for read in reads), own=own
            )
            places.update(dict.fromkeys(range(at, end), len(kept)))
            kept.append(group)
        else:
            for part in range(at, end):
                places[part] = len(kept)
                kept.append(drafts[part])
        at = end
    return [
        draft._replace(reads=tuple(places.get(read, read) for read in draft.reads))
        for draft in kept
    ]


def _goes_on(drafts: Sequence[Draft], modules: tuple[Module, ...]) -> bool:
    """Whether the first of these is the module's, or a tensor that stands before another of the module's."""
    *stored, last = drafts if isinstance(drafts[0].layer, Stored) else drafts[:1]
    return bool(stored or last is drafts[0]) and last.modules == modules


def _leaf(drafts: Sequence[Draft], group: range) -> Made:
    parts = [drafts[at] for at in group]
    outside = dict.fromkeys(read for part in parts for read in part.reads if read not in group)
    kinds = tuple(part.layer.operator for part in parts)
    for pattern, rule in PATTERNS:
        if pattern == kinds:
            made = rule(parts, (*outside,))
            return made if made and {*made[1]} == {*outside} else None
    return None


def _padding(parts: Sequence[Draft], reads: tuple[int, ...]) -> Made:
    x, y = parts[0].inputs[0], parts[-1].output
    if len(reads) != 1 or len(x) != 3 or len(y) != 3:
        return None
    stride = -(-x[1] // y[1])
    layer = PadShortcut(parts[-1].layer.name, y[0], stride)
    cut = parts[-2].output if len(parts) > 1 else x
    fits = layer.output_shape(x) == y and cut == (x[0], *y[1:])
    return (layer, reads) if fits else None


def _channels(parts: Sequence[Draft], reads: tuple[int, ...]) -> Made:
    convolution = parts[-2].layer
    x, y = parts[0].inputs[0], parts[-1].output
    if (
        not isinstance(convolution, Convolution)
        or convolution.bias
        or convolution.weight[:2] != (1, 1)
    ):
        return None
    return (ChannelConv(convolution.name, convolution.weight[2]), reads) if x == y else None


def _scaled(parts: Sequence[Draft], reads: tuple[int, ...]) -> Made:
    factors = [part.op.factor if part.op else None for part in parts[:2]]
    if len(reads) != 2 or None in factors or parts[0].reads == parts[1].reads:
        return None
    shortcut, body = (float(factor or 0) for factor in factors)
    return ScaledAdd(parts[-1].layer.name, shortcut, body), (parts[0].reads[0], parts[1].reads[0])


def _gated(parts: Sequence[Draft], reads: tuple[int, ...]) -> Made:
    convolution = parts[0].layer
    shortcut = parts[0].reads[0]
    if len(reads) != 2 or not isinstance(convolution, Conv2d) or parts[2].op is None:
        return None
    square = (convolution.kernel, convolution.stride, convolution.groups) == (1, 1, 1)
    if (
        not square
        or not convolution.bias
        or parts[2].op.factor != 1
        or shortcut not in parts[3].reads
    ):
        return None
    (body,) = {*reads} - {shortcut}
    layer = GatedAdd(convolution.name, convolution.out_channels, exclusive=len(parts) > 5)
    return layer, (shortcut, body)


def _padded_pool(parts: Sequence[Draft], reads: tuple[int, ...]) -> Made:
    x, padded, pool, op = parts[0].inputs[0], parts[0].output, parts[-1].layer, parts[0].op
    if not isinstance(pool, MaxPool2d) or pool.padding or pool.ceil or op is None or len(x) != 3:
        return None
    zeros = op.factor in (None, 0) and op.argument("mode", "constant") in ("constant", None)
    padding = (padded[1] - x[1]) // 2
    if not zeros or padded != (x[0], x[1] + 2 * padding, x[2] + 2 * padding):
        return None
    return ZeroPaddedMaxPool2d(pool.name, pool.kernel, pool.stride, padding), reads


def _attention_pool(parts: Sequence[Draft], reads: tuple[int, ...]) -> Made:
    (channels, *sides), linears = parts[0].inputs[0], [part for part in parts if part.layer.counted]
    asking = linears[0].output[0]
    layer = AttentionPool2d(
        parts[-1].layer.name, channels, parts[-1].output[-1], prod(sides), asking > 1
    )
    biased = all("bias" in part.layer.tensors() for part in linears)
    heads = next(part.output for part in parts if part.layer.operator == "softmax")
    fits = heads == (channels // HEAD, asking, prod(sides) + 1) and parts[0].output[0] == channels
    return (layer, reads) if fits and biased and len(reads) == 1 else None


HEADS = ("reshape", "permutation") * 3
ATTENTION = (
    *("linear", "product", "linear", "linear", *HEADS, "permutation", "matrix product", "softmax"),
    *("matrix product", "permutation", "reshape", "linear", "slice"),
)
"""What an attention pool runs once its tokens are made, all of which ask, or a slice."""
TOKENS = ("reshape", "permutation", "mean", "concatenation", "parameter", "addition")
Rule = Callable[[Sequence[Draft], tuple[int, ...]], Made]
PATTERNS: tuple[tuple[tuple[str, ...], Rule], ...] = (
    *(((*("slice",) * slices, "padding"), _padding) for slices in range(1, 5)),
    (("flatten", "reshape", "1-d convolution", "reshape"), _channels),
    (("reshape", "reshape", "1-d convolution", "reshape"), _channels),
    (("padding", "max pool"), _padded_pool),
    ((*TOKENS, "slice", *ATTENTION), _attention_pool),
    ((*TOKENS, *ATTENTION), _attention_pool),
    (("product", "product", "addition"), _scaled),
    (("convolution", "sigmoid", "subtraction", "product", "addition"), _gated),
    (("convolution", "sigmoid", "subtraction", "product", "product", "addition"), _gated),
)
"""What operations a module runs, one after another -> the leaf that they are, if they fit it."""
