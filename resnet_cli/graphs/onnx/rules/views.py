"""Operators that choose, join and lay out anew: Reshape to Gather, reductions, and those that make shapes."""

from __future__ import annotations

from math import ceil, prod

from resnet_cli.graphs.graph import Dim, Dims
from resnet_cli.graphs.onnx.rules.call import (
    Call,
    Shapes,
    Table,
    Unknown,
    axes_of,
    axis_of,
    broadcast,
    count,
    plus,
    times,
)


def sizes(call: Call, at: int) -> list[Dim]:
    """An input that is a shape: open sizes stay open."""
    return [size if isinstance(size, int | str) else None for size in call.elements(at)]


def reshape(call: Call) -> Shapes:
    x = call.shape()
    wanted: list[Dim] = sizes(call, 1) if call.has(1) else [*(call.numbers("shape") or ())]
    if not call.number("allowzero", 0):
        for at, size in enumerate(wanted):
            if size == 0:
                if at >= len(x):
                    call.unfit("it copies a dimension that its input has not")
                wanted[at] = x[at]
    if wanted.count(-1) > 1:
        call.unfit("more than one size is to be told from the others")
    if -1 in wanted:
        at = wanted.index(-1)
        wanted[at] = rest(x, [*wanted[:at], *wanted[at + 1 :]])
    return [tuple(wanted)]


def rest(x: Dims, known: list[Dim]) -> Dim:
    """The factor that is missing from a product; sizes that are open on both sides cancel out."""
    left = list(x)
    others = []
    for size in known:
        if isinstance(size, str) and size in left:
            left.remove(size)
        else:
            others.append(size)
    below = prod(size for size in others if isinstance(size, int))
    if not all(isinstance(size, int) for size in others):
        return None
    above = [size for size in left if isinstance(size, int)]
    if len(above) == len(left):
        if not below:
            raise Unknown("a size cannot be told beside one of 0")
        if prod(above) % below:
            raise Unknown(f"{prod(above):,} numbers do not part into {below:,}")
        return prod(above) // below
    return times(*left) if prod(above) == below and len(left) == len(above) + 1 else None


def flatten(call: Call) -> Shapes:
    x = call.shape()
    axis = call.number("axis", 1)
    at = axis_of(axis, len(x)) if axis < len(x) else len(x)
    return [(times(*x[:at]), times(*x[at:]))]


def transpose(call: Call) -> Shapes:
    x = call.shape()
    order = call.numbers("perm") or tuple(reversed(range(len(x))))
    if sorted(order) != list(range(len(x))):
        call.unfit("perm does not have each dimension once")
    return [tuple(x[at] for at in order)]


def squeeze(call: Call) -> Shapes:
    x = call.shape()
    axes = call.listed("axes", 1)
    if axes is None:
        if not all(isinstance(size, int) for size in x):
            raise Unknown("which of its sizes are 1 is not known")
        return [tuple(size for size in x if size != 1)]
    gone = axes_of(axes, len(x))
    return [tuple(size for at, size in enumerate(x) if at not in gone)]


def unsqueeze(call: Call) -> Shapes:
    x = list(call.shape())
    axes = call.listed("axes", 1)
    if axes is None:
        call.unfit("it has no axes")
    rank = len(x) + len(axes)
    for at in sorted(axes_of(axes, rank)):
        x.insert(at, 1)
    return [tuple(x)]


def concat(call: Call) -> Shapes:
    shapes = [call.shape(at) for at in range(len(call.inputs))]
    axis = axis_of(call.number("axis", 1 if call.opset < 4 else 0), len(shapes[0]))
    if {len(shape) for shape in shapes} != {len(shapes[0])}:
        call.unfit("its inputs have not the same dimensions")
    result = list(broadcast(*shapes)) if len(shapes[0]) == 0 else []
    for at in range(len(shapes[0])):
        column = [shape[at] for shape in shapes]
        if at == axis:
            result.append(plus(*column))
        else:
            known = [size for size in column if size is not None]
            numbers = [size for size in known if isinstance(size, int)]
            result.append((numbers or known or [None])[0])
    return [tuple(result)]


def split(call: Call) -> Shapes:
    x = call.shape()
    axis = axis_of(call.number("axis", 0), len(x))
    parts = call.listed("split", 1)
    wanted = len(call.node.outputs)
    if parts is None:
        size = x[axis]
        wanted = call.number("num_outputs", wanted) or wanted
        if wanted > 10_000:
            call.unfit("it has too many parts")
        if not isinstance(size, int):
            return [(*x[:axis], None, *x[axis + 1 :])] * wanted
        each = ceil(size / wanted)
        parts = tuple(max(0, min(each, size - at * each)) for at in range(wanted))
    return [(*x[:axis], part, *x[axis + 1 :]) for part in parts]


def sliced(size: int, start: int, end: int, step: int) -> range:
    """The places that a slice takes along a side, by ONNX's rule, which is Python's."""
    if not step:
        raise Unknown("a step of 0")
    return range(*slice(start, end, step).indices(size))


def places(call: Call) -> dict[int, tuple[int, int, int]]:
    """Of a Slice: axis -> start, end, step."""
    rank = len(call.shape())
    if call.opset < 10:
        starts, ends, axes = (call.numbers(key) for key in ("starts", "ends", "axes"))
        steps = None
    else:
        starts, ends = call.whole(1), call.whole(2)
        axes = call.whole(3) if call.has(3) else None
        steps = call.whole(4) if call.has(4) else None
    if starts is None or ends is None:
        call.unfit("it has no starts or ends")
    axes = axes if axes is not None else tuple(range(len(starts)))
    steps = steps if steps is not None else (1,) * len(starts)
    return dict(zip(axes_of(axes, rank), zip(starts, ends, steps, strict=True), strict=True))


def slice_(call: Call) -> Shapes:
    result = list(call.shape())
    try:
        cuts = places(call)
    except Unknown:
        if call.opset < 10:
            raise
        axes = call.whole(3) if call.has(3) else range(call.tensor(1).shape[0])  # type: ignore
        for at in axes_of(axes, len(result)):
            result[at] = None
        return [tuple(result)]
    for axis, (start, end, step) in cuts.items():
        size = result[axis]
        if isinstance(size, int):
            result[axis] = len(sliced(size, start, end, step))
        elif (start, step) != (0, 1) or end < 2**31 - 1:
            result[axis] = None
    return [tuple(result)]


def gather(call: Call) -> Shapes:
    x, indices = call.shape(), call.shape(1)
    axis = axis_of(call.number("axis", 0), len(x))
    return [(*x[:axis], *indices, *x[axis + 1 :])]


def gather_nd(call: Call) -> Shapes:
    x, indices = call.shape(), call.shape(1)
    depth = indices[-1]
    if not isinstance(depth, int):
        raise Unknown("how deep it indexes is not known")
    return [(*indices[:-1], *x[call.number("batch_dims", 0) + depth :])]


def gather_elements(call: Call) -> Shapes:
    return [call.shape(1)]


def expand(call: Call) -> Shapes:
    return [broadcast(call.shape(), tuple(sizes(call, 1)))]


def tile(call: Call) -> Shapes:
    return [tuple(map(times, call.shape(), sizes(call, 1)))]


def reduced(call: Call) -> Shapes:
    x = call.shape()
    axes = call.listed("axes", 1)
    if not axes and call.number("noop_with_empty_axes", 0):
        return [x]
    gone = axes_of(axes, len(x)) if axes else list(range(len(x)))
    return [_without(x, gone, bool(call.number("keepdims", 1)))]


def reduced_by_axes(call: Call) -> Shapes:
    """Over axes that are an attribute, whatever else is read."""
    return reduced(call._replace(inputs=call.inputs[:1]))


def _without(x: Dims, gone: list[int], keep: bool) -> Dims:
    if keep:
        return tuple(1 if at in gone else size for at, size in enumerate(x))
    return tuple(size for at, size in enumerate(x) if at not in gone)


def largest(call: Call) -> Shapes:
    x = call.shape()
    axis = axis_of(call.number("axis", 0), len(x))
    return [_without(x, [axis], bool(call.number("keepdims", 1)))]


def top_k(call: Call) -> Shapes:
    x = list(call.shape())
    axis = axis_of(call.number("axis", -1), len(x))
    try:
        x[axis] = call.one(1) if call.has(1) else call.number("k", 1)
    except Unknown:
        x[axis] = None
    return [tuple(x), tuple(x)]


def one_hot(call: Call) -> Shapes:
    x = list(call.shape())
    depth: Dim = int(call.reals(1)[0])
    x.insert(axis_of(call.number("axis", -1), len(x) + 1), depth)
    return [tuple(x)]


def shape(call: Call) -> Shapes:
    return [(len(shaped(call)),)]


def shaped(call: Call) -> Dims:
    """The part of a shape that a Shape gives out."""
    x = call.shape()
    end = call.node.attributes.get("end")
    return x[call.number("start", 0) : end if isinstance(end, int) else len(x)]


def scalar(call: Call) -> Shapes:
    return [()]


def filled(call: Call) -> Shapes:
    return [tuple(sizes(call, 0))]


def drawn(call: Call) -> Shapes:
    wanted = call.numbers("shape")
    if wanted is None:
        call.unfit("it has no shape")
    return [wanted]


def drawn_classes(call: Call) -> Shapes:
    return [(call.shape()[0], call.number("sample_size", 1))]


def range_(call: Call) -> Shapes:
    start, limit, step = (call.reals(at)[0] for at in range(3))
    if not step:
        call.unfit("its step is 0")
    return [(max(0, ceil((limit - start) / step)),)]


def non_zero(call: Call) -> Shapes:
    return [(len(call.shape()), None)]


def suppressed(call: Call) -> Shapes:
    return [(None, 3)]


def compress(call: Call) -> Shapes:
    x = list(call.shape())
    chosen: Dim = None
    if call.has(1) and call.tensor(1).value is not None:
        chosen = sum(map(bool, call.whole(1)))
    axis = call.node.attributes.get("axis")
    if not isinstance(axis, int):
        return [(chosen,)]
    x[axis_of(axis, len(x))] = chosen
    return [tuple(x)]


def unique(call: Call) -> Shapes:
    x = list(call.shape())
    axis = call.node.attributes.get("axis")
    if isinstance(axis, int):
        x[axis_of(axis, len(x))] = None
        return [tuple(x), (None,), (None,), (None,)]
    return [(None,), (None,), (count(x),), (None,)]


def quantized_concat(call: Call) -> Shapes:
    joined = call._replace(inputs=call.inputs[2::3])
    return concat(joined)


RULES: Table = {
    "Reshape": reshape, "Flatten": flatten, "Transpose": transpose, "Squeeze": squeeze,
    "Unsqueeze": unsqueeze, "Concat": concat, "Split": split, "Slice": slice_, "Gather": gather,
    "GatherND": gather_nd, "GatherElements": gather_elements, "Expand": expand, "Tile": tile,
    **{f"Reduce{name}": reduced for name in (
        "L1", "L2", "LogSum", "LogSumExp", "Max", "Mean", "Min", "Prod", "Sum", "SumSquare",
    )},
    "ArgMax": largest, "ArgMin": largest, "TopK": top_k, "OneHot": one_hot, "Shape": shape,
    "Size": scalar, "ConstantOfShape": filled, "RandomNormal": drawn, "RandomUniform": drawn,
    "Multinomial": drawn_classes, "Range": range_, "NonZero": non_zero,
    "NonMaxSuppression": suppressed, "Compress": compress, "Unique": unique,
    "com.microsoft.QLinearConcat": quantized_concat, "com.microsoft.QLinearReduceMean": reduced_by_axes,
}  # fmt: skip
