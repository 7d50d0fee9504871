"""Leaves from what an operation is, whichever format said it: one function for each family."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from math import prod

from resnet_cli.graphs import strides
from resnet_cli.graphs.op import Op, Undescribed
from resnet_cli.layers.arithmetic import Shape
from resnet_cli.layers.base import Layer
from resnet_cli.layers.convolution import Conv2d, Linear
from resnet_cli.layers.elementwise import Dropout, Elementwise, ReLU, Sigmoid, SiLU, Softmax
from resnet_cli.layers.moves import Move, Rearranged, Untold
from resnet_cli.layers.normalisation import BatchNorm2d, GroupNorm, Norm
from resnet_cli.layers.pooling import AdaptiveAvgPool2d, AvgPool2d, MaxPool2d
from resnet_cli.layers.products import Attention, Embedding, MatrixProduct, Recurrent
from resnet_cli.layers.shaping import Copy, Flatten, View
from resnet_cli.layers.windows import Convolution, Pool, Reduction, Resize, Window

PLAIN: Mapping[str, Callable[[str], Layer]] = {
    "ReLU": ReLU,
    "SiLU": SiLU,
    "sigmoid": Sigmoid,
}
"""Kinds that have a leaf of their own."""
DIMENSIONS = {1: "1-d ", 2: "", 3: "3-d "}


def elementwise(op: Op, kind: str, inplace: bool = False) -> Layer:
    """An operation of one tensor or several, element by element."""
    if kind == "dropout":
        return Dropout(op.label, inplace)
    if kind in PLAIN and len(op.reads) == 1 and (kind == "ReLU" or not inplace):
        return PLAIN[kind](op.label)  # whether a ReLU is in place is asked for
    return Elementwise(op.label, kind, op.result, inplace)


def convolution(
    op: Op, weight: str, bias: str, windows: Window, groups: int, transposed: bool = False,
    plain: bool = True,
) -> Layer:  # fmt: skip
    """A convolution; a square one of a kernel of its own is a plain leaf, where it may be."""
    own, biased = op.owns("weight", weight), op.owns("bias", bias)
    sides = op.dims(weight)
    x, y = op.shape(op.reads[0]), op.result
    square = all(len(set(side)) == 1 for side in windows)
    if plain and own and square and len(sides) == 4 and not transposed and len(x) == 3:
        (k, *_), (stride, *_), (padding, *_), (dilation, *_) = windows
        layer = Conv2d(op.label, x[0], sides[0], k, stride, padding, groups, biased, dilation)
        if layer.output_shape(x) == y:
            return layer
    kind = f"{DIMENSIONS.get(len(windows.kernel), '')}{'transposed ' * transposed}convolution"
    return Convolution(op.label, kind, y, sides, windows, groups, own, biased, transposed)


def linear(op: Op, x: str, weight: str, bias: str, sides: Shape) -> Layer:
    """A fully connected layer, of a weight of ``sides`` (out, in); with a computed weight a product."""
    laid = op.laid(x)
    rows = (prod(laid.sizes[:-1]), laid.sizes[-1])
    copied = op.each(laid.copied_as(rows)) if len(laid.sizes) > 2 else 0
    if op.owns("weight", weight):
        return Linear(op.label, sides[1], sides[0], op.owns("bias", bias), copied)
    letters = _letters(op, x, weight, turned=True)
    return MatrixProduct(
        op.label, "matrix product", op.result, sides[1], bool(bias), (copied, 0), letters
    )


def product(op: Op, x: str, y: str, added: bool = False) -> Layer:
    """A product of matrices, of batches of them, of a vector."""
    letters = _letters(op, x, y)
    if added:  # what is added is read first
        op.only(x, y, *(name for name in op.reads if name not in (x, y)))
    smaller = y if len(op.dims(x)) >= len(op.dims(y)) else x
    copied = strides.of_product(op.laid(x), op.laid(y), smaller in op.learned)
    first, second = map(op.each, copied)
    return MatrixProduct(
        op.label, "matrix product", op.result, op.dims(x)[-1], added, (first, second), letters
    )


def _letters(op: Op, x: str, y: str, turned: bool = False) -> tuple[str, ...]:
    """The dimensions of a tensor, of a matrix (or many, or a vector) that it is multiplied with, and of what comes of it."""
    ranks = len(op.dims(x)), len(op.dims(y))
    batch = "abcdefgh"[: max(*ranks, 2) - 2]
    first = (batch + "ij")[-ranks[0] :] if ranks[0] > 1 else "j"
    second = (batch + ("kj" if turned else "jk"))[-ranks[1] :] if ranks[1] > 1 else "j"
    result = batch + "i" * (ranks[0] > 1) + "k" * (ranks[1] > 1)
    return _without_batch(op, (x, y), (first, second, result))


def _without_batch(op: Op, names: tuple[str, ...], letters: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(
        each[op.cut(name) :] for each, name in zip(letters, (*names, op.output), strict=True)
    )


def einsum(op: Op, equation: str, names: tuple[str, ...]) -> Layer:
    """A sum of products over the letters that the output leaves out; of more than two factors not counted."""
    before, arrow, after = equation.replace(" ", "").partition("->")
    terms = before.split(",")
    if "." in equation or len(terms) != len(names) or len(terms) > 2:
        raise Undescribed("sums of products of more than two factors are not counted")
    sizes = {
        letter: size
        for term, name in zip(terms, names, strict=True)
        for letter, size in zip(term, op.dims(name), strict=True)
    }
    if not arrow:
        after = "".join(sorted(letter for letter in sizes if before.count(letter) == 1))
    inner = prod(size for letter, size in sizes.items() if letter not in after)
    shared = [letter for letter in sizes if letter not in after]
    if len(terms) == 1:
        return Copy(
            op.label, "einsum", op.result, Untold("an einsum of one tensor is not followed")
        )
    if not shared:
        return Elementwise(op.label, "product", op.result)
    copied = strides.of_einsum(f"{before}->{after}", *map(op.laid, names))
    first, second = map(op.each, copied)
    letters = _without_batch(op, names, (*terms, after))
    return MatrixProduct(
        op.label, "matrix product", op.result, inner, False, (first, second), letters
    )


def attention(
    op: Op, causal: bool, scores: Shape = (), widths: tuple[int, int] = (0, 0),
    dropout: bool = False,
) -> Layer:  # fmt: skip
    """Attention in one operator, which torch takes apart where it has no one kernel for it.

    ``scores`` and ``widths`` where the shapes read do not say them.
    """
    laid = [op.laid(name) for name in op.reads[:3]]
    mask = op.reads[3] if len(op.reads) > 3 else ""
    kernel = len(laid) == 3 and all(
        len(each.sizes) == 4
        and each.strides[-1] == 1
        and (*each.sizes[:2], each.sizes[3]) == (*laid[0].sizes[:2], laid[0].sizes[3])
        for each in laid
    )
    if scores or len(laid) < 3 or (kernel and mask not in op.learned and not dropout):
        return Attention(op.label, "attention", op.result, causal, False, scores, widths)
    products = strides.plain((*laid[0].sizes[:-1], laid[1].sizes[-2]))
    copied = op.each(strides.of_product(products, laid[2], True)[1])
    return Attention(op.label, "attention", op.result, causal, True, copied=copied)


def batch_norm(op: Op, weight: str, bias: str, mean: str, variance: str, counts: bool) -> Layer:
    """Batch norm; plain where it has all its tensors, and torch's counter of batches where ``counts``."""
    names = {"weight": weight, "bias": bias, "running_mean": mean, "running_var": variance}
    own = {
        label: op.dims(name)
        for label, name in names.items()
        if op.owns(label, name, learned=not label.startswith("running"))
    }
    channels = op.channels
    if len(own) == 4 and counts and len(op.result) == 3:
        return BatchNorm2d(op.label, channels)
    learned = tuple((label, own[label]) for label in ("weight", "bias") if label in own)
    buffers = {label: own[label] for label in ("running_mean", "running_var") if label in own}
    kept = (*(buffers | ({"num_batches_tracked": ()} if counts else {})).items(),)
    return Norm(op.label, "batch norm", op.result, learned, 2 * channels, kept, of_batch=True)


def group_norm(op: Op, groups: int, weight: str, bias: str, operator: str = "group norm") -> Layer:
    """Group norm, or instance norm: of each input's maps."""
    own = {k: op.dims(n) for k, n in (("weight", weight), ("bias", bias)) if op.owns(k, n)}
    if len(own) == 2 and operator == "group norm" and len(op.result) == 3:
        return GroupNorm(op.label, groups, op.channels)
    statistics = 2 * groups * op.inputs_in_a_row
    return Norm(op.label, operator, op.result, (*own.items(),), statistics, all_places=True)


def layer_norm(op: Op, sides: int, weight: str, bias: str, operator: str = "layer norm") -> Layer:
    """A norm over the last ``sides`` of a tensor: layer norm, or RMS norm, which takes no mean."""
    own = {k: op.dims(n) for k, n in (("weight", weight), ("bias", bias)) if op.owns(k, n)}
    rows = prod(op.result[: len(op.result) - sides])
    statistics = rows * (1 if operator == "RMS norm" else 2)
    return Norm(op.label, operator, op.result, (*own.items(),), statistics)


def pool(op: Op, windows: Window, largest: bool, plain_mean: bool = False) -> Layer:
    """A pool; ``plain_mean``: of only what is inside of the border, and a last window cut there."""
    x, y = op.shape(op.reads[0]), op.result
    (k, *ks), (stride, *strides), (padding, *paddings), (dilation, *_) = windows
    if len(x) == 3 and {k, *ks} == {k} and {stride, *strides} == {stride} and dilation == 1:
        if largest and {padding, *paddings} == {padding}:
            layer: Layer = MaxPool2d(op.label, k, stride, padding)
            if layer.output_shape(x) == y:
                return layer
        if not largest and k == stride and {padding, *paddings} == {0}:
            layer = AvgPool2d(op.label, k, ceil=plain_mean)
            if layer.output_shape(x) == y:
                return layer
    return Pool(op.label, "max pool" if largest else "average pool", y, windows, largest)


def adaptive_pool(op: Op, largest: bool = False) -> Layer:
    """A pool to a size, whatever comes in."""
    x, y = op.shape(op.reads[0]), op.result
    if not largest and len(y) == 3 and y[1] == y[2]:
        return AdaptiveAvgPool2d(op.label, y[1])
    operator = "max" if largest else "mean"
    over = tuple(at for at, (before, after) in enumerate(zip(x, y, strict=True)) if before != after)
    return Reduction(op.label, operator, y, over)


def pooled(op: Op, places: tuple[int, ...]) -> Layer:
    """A mean over dimensions, which over a map is what exporters make of a pool."""
    x = op.shape(op.reads[0])
    if len(x) == 3 and {1, 2} <= {*(places or (1, 2))} and op.result == (x[0], 1, 1):
        return AdaptiveAvgPool2d(op.label, 1)
    return reduction(op, "mean", places)


def reduction(op: Op, operator: str, places: tuple[int, ...], picks: bool = False) -> Layer:
    """A sum, mean or the like over dimensions, counted without the batch; all where none are named."""
    return Reduction(op.label, operator, op.result, places, picks)


def flatten(op: Op) -> Layer:
    """A view; to a vector it is a plain leaf."""
    x, y = op.shape(op.reads[0]), op.result
    copied = not op.laid(op.reads[0]).views(op.dims(op.output))
    if len(x) == 3 and len(y) == 1 and not copied:
        return Flatten(op.label)
    return view(op, "reshape", Rearranged(), copied)


def view(op: Op, operator: str, move: Move, copied: bool = False) -> Layer:
    """The same numbers, or some of them."""
    return View(op.label, operator, op.result, move, copied)


def copy(op: Op, operator: str, move: Move) -> Layer:
    """Numbers that are copied."""
    indices = tuple(
        at for at, name in enumerate(op.reads) if at and op.tensors[name].dtype == "int64"
    )
    return Copy(op.label, operator, op.result, move, indices)


def resized(
    op: Op, taps: int, anchor: str, scales: tuple[float, ...] = (), smooth: bool = False
) -> Layer:
    """Another size: from the nearest value, or from some taps a side; ``scales`` are outputs an input."""
    sides = max(len(op.result) - 1, 1)
    steps = [Fraction(1 / scale).limit_denominator(1000) for scale in scales if scale > 0]
    fractions = tuple((step.numerator, step.denominator) for step in steps)
    return Resize(
        op.label, "resizing", op.result, taps, sides, anchor,
        fractions if len(fractions) == sides else (), smooth,
    )  # fmt: skip


def embedding(op: Op, table: str, numbers: str) -> Layer:
    """Rows of a table."""
    own = op.owns("weight", table)
    return Embedding(op.label, "embedding", op.result, op.dims(table), own)


def recurrent(
    op: Op, operator: str, weights: Mapping[str, str], batch_first: bool = False
) -> Layer:
    """A recurrent layer; ``weights`` are tensors by torch's names for them, which may be computed."""
    computed = tuple(label for label, name in weights.items() if not op.owns(label, name))
    shapes = tuple((label, op.dims(name)) for label, name in weights.items())
    steps = prod(op.shape(op.node.inputs[0])[:-1])
    return Recurrent(op.label, operator, op.result, shapes, steps, computed, batch_first)


def softmax(op: Op, place: int) -> Layer:
    """Softmax, or its logarithm, along a dimension."""
    return Softmax(op.label, "softmax", op.result, place)
