"""Numbers of small tensors, where sizes are computed in the graph: Shape, Gather, Concat, arithmetic.

A rule gives all of an output's numbers in row-major order; one of them may be open (a name, None).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from math import ceil, floor, prod, sqrt, trunc
from typing import TypeAlias

from resnet_cli.graphs.graph import Dims, Element
from resnet_cli.graphs.onnx.rules import views
from resnet_cli.graphs.onnx.rules.call import Call, Unknown, axes_of, axis_of, plus, times

MOST_NUMBERS = 1024
MOST_FLOATS = 64
LARGEST = 2**63 - 1
BOOL, WHOLE = 9, (2, 3, 4, 5, 6, 7, 12, 13)  # of TensorProto.DataType
Numbers: TypeAlias = Sequence[Element]
ValueRule: TypeAlias = "Callable[[Call, tuple[int, ...]], Numbers]"


def value(call: Call, shape: Dims) -> tuple[Element, ...] | None:
    """The numbers of an operation's output of this shape; None where they are not to be had."""
    rule = RULES.get(call.node.operator)
    if rule is None or call.node.domain or len(call.node.outputs) != 1:
        return None
    whole = tuple(size for size in shape if isinstance(size, int))
    if len(whole) != len(shape) or prod(whole) > MOST_NUMBERS:
        return None
    try:
        numbers = tuple(map(_kept, rule(call, whole)))
    except (Unknown, ArithmeticError, LookupError, TypeError, ValueError):
        return None
    if len(numbers) > MOST_FLOATS and isinstance(numbers[0], float):
        return None
    return numbers if len(numbers) == prod(whole) else None


def _kept(number: Element) -> Element:
    if isinstance(number, int | float) and not -LARGEST - 1 <= number <= LARGEST:
        return None
    return number


def places(shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Every place in a tensor, in row-major order."""
    return product(*map(range, shape))


def strides(shape: Sequence[int]) -> list[int]:
    """How far apart neighbours along each dimension are."""
    steps = [1]
    for size in reversed(shape[1:]):
        steps.append(steps[-1] * size)
    return steps[::-1][: len(shape)] if shape else []


def known(call: Call, at: int = 0) -> tuple[int, ...]:
    """An input's shape, all of it numbers."""
    shape = call.shape(at)
    whole = tuple(size for size in shape if isinstance(size, int))
    if len(whole) != len(shape):
        raise Unknown("a size is open")
    return whole


def stretched(call: Call, at: int, shape: tuple[int, ...]) -> list[Element]:
    """An input's numbers, repeated to a shape."""
    numbers, own = call.elements(at), known(call, at)
    if own == shape:
        return list(numbers)
    if len(numbers) == 1:
        return [numbers[0]] * prod(shape)
    steps = [step if size > 1 else 0 for size, step in zip(own, strides(own), strict=True)]
    steps = [0] * (len(shape) - len(own)) + steps
    return [numbers[sum(map(int.__mul__, steps, place))] for place in places(shape)]


def as_it_is(call: Call, shape: tuple[int, ...]) -> Numbers:
    return call.elements(0)


def of_shape(call: Call, shape: tuple[int, ...]) -> Numbers:
    return views.shaped(call)


def size(call: Call, shape: tuple[int, ...]) -> Numbers:
    return [times(*call.shape())]


def cast(call: Call, shape: tuple[int, ...]) -> Numbers:
    """To whole numbers it cuts off; to others nothing is lost that a size could have."""
    numbers, kind = call.elements(0), call.number("to", 1)
    if kind == BOOL:
        return [reals(bool)(n) for n in numbers]
    whole = kind in WHOLE
    return [int(n) if whole and isinstance(n, float) else n for n in numbers]


def concat(call: Call, shape: tuple[int, ...]) -> Numbers:
    axis = axis_of(call.number("axis", 0), len(shape))
    parts = []
    for at in range(len(call.inputs)):
        own = known(call, at)
        if prod(own):
            parts.append((call.elements(at), prod(own[axis:])))
    outer = prod(shape[:axis])
    return [
        n for row in range(outer) for all_, run in parts for n in all_[row * run : (row + 1) * run]
    ]


def gather(call: Call, shape: tuple[int, ...]) -> Numbers:
    x, numbers = known(call), call.elements(0)
    axis = axis_of(call.number("axis", 0), len(x))
    inner, side = prod(x[axis + 1 :]), x[axis]
    indices = [axis_of(index, side) for index in call.whole(1)]
    return [
        n
        for row in range(prod(x[:axis]))
        for index in indices
        for n in numbers[(row * side + index) * inner : (row * side + index + 1) * inner]
    ]


def slice_(call: Call, shape: tuple[int, ...]) -> Numbers:
    x, numbers = known(call), call.elements(0)
    cuts = views.places(call)
    sides = [
        views.sliced(side, *cuts[axis]) if axis in cuts else range(side)
        for axis, side in enumerate(x)
    ]
    steps = strides(x)
    return [numbers[sum(map(int.__mul__, steps, place))] for place in product(*sides)]


def transpose(call: Call, shape: tuple[int, ...]) -> Numbers:
    x, numbers = known(call), call.elements(0)
    order = call.numbers("perm") or tuple(reversed(range(len(x))))
    steps = [strides(x)[at] for at in order]
    return [numbers[sum(map(int.__mul__, steps, place))] for place in places(shape)]


def expand(call: Call, shape: tuple[int, ...]) -> Numbers:
    return stretched(call, 0, shape)


def tile(call: Call, shape: tuple[int, ...]) -> Numbers:
    x, numbers = known(call), call.elements(0)
    steps = strides(x)
    return [
        numbers[sum(s * (at % side) for s, at, side in zip(steps, place, x, strict=True))]
        for place in places(shape)
    ]


def filled(call: Call, shape: tuple[int, ...]) -> Numbers:
    attribute = call.node.attributes.get("value")
    number: Element = 0
    if attribute is not None:
        given = getattr(attribute, "value", None)
        if not given:
            raise Unknown("what it is filled with is not known")
        number = given[0]
    return [number] * prod(shape)


def range_(call: Call, shape: tuple[int, ...]) -> Numbers:
    start, _, step = (call.reals(at)[0] for at in range(3))
    return [start + at * step for at in range(shape[0])]


def where(call: Call, shape: tuple[int, ...]) -> Numbers:
    chosen, yes, no = (stretched(call, at, shape) for at in range(3))
    return [
        (a if c else b) if c is None or isinstance(c, int) else None
        for c, a, b in zip(chosen, yes, no, strict=True)
    ]


def scatter_nd(call: Call, shape: tuple[int, ...]) -> Numbers:
    """Of a list of numbers, as the sizes of a shape are: some set to others."""
    if len(shape) != 1 or call.text("reduction", "none") != "none":
        raise Unknown("not followed")
    numbers = list(call.elements(0))
    for index, update in zip(call.whole(1), call.elements(2), strict=True):
        numbers[axis_of(index, len(numbers))] = update
    return numbers


def pairs(combine: Callable[[Element, Element], Element]) -> ValueRule:
    """A rule that combines its inputs' numbers one by one."""

    def rule(call: Call, shape: tuple[int, ...]) -> Numbers:
        result = stretched(call, 0, shape)
        for at in range(1, len(call.inputs)):
            result = [
                combine(*pair) for pair in zip(result, stretched(call, at, shape), strict=True)
            ]
        return result

    return rule


def reals(combine: Callable[..., int | float | bool]) -> Callable[..., Element]:
    """Of numbers alone: open where one is."""

    def guarded(*numbers: Element) -> Element:
        if all(isinstance(number, int | float) for number in numbers):
            result = combine(*numbers)
            return int(result) if isinstance(result, bool) else result
        return None

    return guarded


def add(a: Element, b: Element) -> Element:
    if isinstance(a, float) or isinstance(b, float):
        return reals(lambda a, b: a + b)(a, b)
    return plus(a, b)


def multiply(a: Element, b: Element) -> Element:
    if isinstance(a, float) or isinstance(b, float):
        return reals(lambda a, b: a * b)(a, b)
    return times(a, b)


def divide(a: Element, b: Element) -> Element:
    """Of whole numbers the quotient is cut off towards zero, as C does."""
    if isinstance(a, int) and isinstance(b, int):
        quotient = abs(a) // abs(b)
        return quotient if (a < 0) == (b < 0) else -quotient
    if b == 1:
        return a
    return reals(lambda a, b: a / b)(a, b)


def equal(a: Element, b: Element) -> Element:
    """A size by a name is none of the numbers that stand for something: not 0 or below."""
    if isinstance(a, str) and isinstance(b, int) and b < 1:
        return 0
    if isinstance(b, str) and isinstance(a, int) and a < 1:
        return 0
    return (
        int(a == b)
        if a is not None and (a == b or not isinstance(a, str)) and b is not None
        else None
    )


def power(a: float, b: float) -> float:
    if abs(b) > 64 or (b < 0 and a == 0):
        raise Unknown("too large")
    result: float = a**b
    return result


def mod(call: Call, shape: tuple[int, ...]) -> Numbers:
    """The remainder has the sign of the divisor, with fmod that of what is divided."""
    sign_of_divisor = not call.number("fmod", 0)

    def remainder(a: float, b: float) -> float:
        if sign_of_divisor:
            return a % b
        return a - b * trunc(a / b)

    return pairs(reals(remainder))(call, shape)


def each(change: Callable[..., int | float | bool]) -> ValueRule:
    """A rule that changes its input's numbers one by one."""

    def rule(call: Call, shape: tuple[int, ...]) -> Numbers:
        return [reals(change)(number) for number in call.elements(0)]

    return rule


def folded(combine: Callable[[Sequence[Element]], Element]) -> ValueRule:
    """A reduction."""

    def rule(call: Call, shape: tuple[int, ...]) -> Numbers:
        x, numbers = known(call), call.elements(0)
        axes = call.listed("axes", 1)
        if not axes and call.number("noop_with_empty_axes", 0):
            return numbers
        gone = axes_of(axes, len(x)) if axes else list(range(len(x)))
        groups: dict[tuple[int, ...], list[Element]] = {}
        for place, number in zip(places(x), numbers, strict=True):
            key = tuple(at for axis, at in enumerate(place) if axis not in gone)
            groups.setdefault(key, []).append(number)
        return [combine(group) for _, group in sorted(groups.items())]

    return rule


def _sum(numbers: Sequence[Element]) -> Element:
    total: Element = 0
    for number in numbers:
        total = add(total, number)
    return total


def _product(numbers: Sequence[Element]) -> Element:
    total: Element = 1
    for number in numbers:
        total = multiply(total, number)
    return total


def running(call: Call, shape: tuple[int, ...]) -> Numbers:
    """Sums of a list up to each place."""
    if len(shape) != 1 or call.number("exclusive", 0) or call.number("reverse", 0):
        raise Unknown("not followed")
    total: Element = 0
    result = []
    for number in call.elements(0):
        total = add(total, number)
        result.append(total)
    return result


def clip(call: Call, shape: tuple[int, ...]) -> Numbers:
    attributes = call.node.attributes  # where limits were before opset 11
    low, high = (
        call.reals(at)[0] if call.has(at) else attributes.get(key)
        for at, key in ((1, "min"), (2, "max"))
    )

    def limited(n: float) -> float:
        n = max(n, low) if isinstance(low, int | float) else n
        return min(n, high) if isinstance(high, int | float) else n

    return [reals(limited)(number) for number in call.elements(0)]


RULES: Mapping[str, ValueRule] = {
    **dict.fromkeys(("Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze"), as_it_is),
    "Shape": of_shape, "Size": size, "Cast": cast, "Concat": concat, "Gather": gather,
    "Slice": slice_, "Transpose": transpose, "Expand": expand, "Tile": tile,
    "ConstantOfShape": filled, "Range": range_, "Where": where, "ScatterND": scatter_nd,
    "Add": pairs(add), "Sum": pairs(add), "Mul": pairs(multiply), "Div": pairs(divide),
    "Sub": pairs(lambda a, b: a if b == 0 else 0 if a == b and a is not None else reals(lambda a, b: a - b)(a, b)),
    "Mod": mod, "Pow": pairs(reals(power)),
    "Max": pairs(reals(max)), "Min": pairs(reals(min)), "Equal": pairs(equal),
    "Less": pairs(reals(lambda a, b: a < b)), "LessOrEqual": pairs(reals(lambda a, b: a <= b)),
    "Greater": pairs(reals(lambda a, b: a > b)),
    "GreaterOrEqual": pairs(reals(lambda a, b: a >= b)),
    "And": pairs(reals(lambda a, b: bool(a and b))), "Or": pairs(reals(lambda a, b: bool(a or b))),
    "Not": each(lambda n: not n), "Neg": each(lambda n: -n), "Abs": each(abs),
    "Floor": each(lambda n: float(floor(n))), "Ceil": each(lambda n: float(ceil(n))),
    "Round": each(lambda n: float(round(n))), "Sqrt": each(sqrt), "Clip": clip, "CumSum": running,
    "ReduceSum": folded(_sum), "ReduceProd": folded(_product),
    "ReduceMax": folded(lambda group: reals(max)(*group)),
    "ReduceMin": folded(lambda group: reals(min)(*group)),
}  # fmt: skip
