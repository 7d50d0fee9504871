"""Windows of any form, as graphs bring them: convolutions and pools of one to three dimensions, resizing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import gcd, prod
from typing import NamedTuple

from resnet_cli.layers.arithmetic import Factor, Product, Shape, Size
from resnet_cli.layers.base import Kept, OfGraph, Saves, Unweighted, elements, given
from resnet_cli.layers.convolution import FOR_WEIGHTS, Convolving
from resnet_cli.layers.grid import Unknown
from resnet_cli.layers.pooling import FOR_SHAPE
from resnet_cli.layers.reach import Seen, one, united


class Window(NamedTuple):
    """Along each spatial dimension: kernel, stride, padding before the first place, dilation."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]

    def reach(self, seen: Seen, y: Shape) -> Seen:
        """Of what is behind the window along the last dimensions."""
        first = len(seen.dims) - len(self.kernel)
        for at, side in enumerate(zip(*self, strict=True), first):
            seen = seen.windowed(at, y[at], *side)
        return seen

    def transposed(self, seen: Seen, y: Shape) -> Seen:
        """Of what is spread out through it: each place of the output by those whose windows have it."""
        first = len(seen.dims) - len(self.kernel)
        for at, (kernel, stride, padding, dilation) in enumerate(zip(*self, strict=True), first):

            def taps(
                place: int, k: int = kernel, s: int = stride, p: int = padding, d: int = dilation
            ) -> range:
                last = place + p
                some = range(-(-(last - (k - 1) * d) // s), last // s + 1)
                fits = [each for each in some if (last - each * s) % d == 0]
                return range(fits[0], fits[-1] + 1) if fits else range(0)

            seen = seen.slid(at, y[at], taps, stride, 1)
        return seen

    def sizes(self, x: Shape, y: Shape, transposed: bool = False) -> tuple[Size, ...]:
        """How each spatial size ``y`` comes of one before it; as given where the formula says otherwise."""
        return tuple(
            (_spread if transposed else _covered)(*sides) for sides in zip(*self, x, y, strict=True)
        )


def _covered(kernel: int, stride: int, padding: int, dilation: int, n: int, out: int) -> Size:
    if dilation == 1:
        formula = "⌊(n + 2p − k) / s⌋ + 1"
        numbers = f"⌊({n} + 2·{padding} − {kernel}) / {stride}⌋ + 1"
    else:
        formula = "⌊(n + 2p − d·(k − 1) − 1) / s⌋ + 1"
        numbers = f"⌊({n} + 2·{padding} − {dilation}·({kernel} − 1) − 1) / {stride}⌋ + 1"
    fits = (n + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1 == out
    return Size(formula, numbers, out) if fits else given(out)


def _spread(kernel: int, stride: int, padding: int, dilation: int, n: int, out: int) -> Size:
    more = out - ((n - 1) * stride - 2 * padding + dilation * (kernel - 1) + 1)
    if not 0 <= more < max(stride, dilation):
        return given(out)
    formula, numbers = "(n − 1)·s − 2p + d·(k − 1) + 1", f"({n} − 1)·{stride} − 2·{padding} + {dilation}·({kernel} − 1) + 1"  # fmt: skip
    return Size(f"{formula} + o" * bool(more) or formula, numbers + f" + {more}" * bool(more), out)


SIDES = {1: ("",), 2: ("_h", "_w"), 3: ("_t", "_h", "_w")}
"""What the spatial dimensions are called behind a k, by how many there are."""


class Convolution(Convolving, OfGraph):
    """A convolution in one to three dimensions, dilated, transposed, of unequal sides, or of a computed kernel.

    ``weight`` is its shape as torch has it, of which ``own`` says whether the layer holds it: else it is
    the second tensor that it reads. Dumoulin & Visin 2016, "A guide to convolution arithmetic".
    """

    def __init__(
        self, name: str, operator: str, shape: Shape, weight: Shape, windows: Window,
        groups: int = 1, own: bool = True, bias: bool = False, transposed: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(name, operator, shape)
        self.weight, self.windows, self.groups = weight, windows, groups
        self.own, self.bias, self.transposed = own, bias, transposed

    @property
    def slides(self) -> int:  # type: ignore[override]
        return len(self.windows.kernel)

    def sizes(self, x: Shape) -> tuple[Size, ...]:
        rank = len(self.windows.kernel)
        return self.windows.sizes(x[-rank:], self.shape[-rank:], self.transposed)

    def _channels(self) -> Product:
        """Those of a group on one side, as torch has them: of the input first where it is transposed."""
        first, second = ("c_in", "c_out") if self.transposed else ("c_out", "c_in")
        whole = self.weight[1] * self.groups
        return (Factor(first, self.weight[0]), Factor(second, whole, "groups", self.groups))

    def _kernel(self) -> Product:
        kernel = self.weight[2:]
        names = SIDES.get(len(kernel), ()) if len(set(kernel)) > 1 else ("",) * len(kernel)
        return tuple(Factor(f"k{name}", side) for name, side in zip(names, kernel, strict=True))

    def tensors(self) -> dict[str, Product]:
        channels = self.weight[1] * self.groups if self.transposed else self.weight[0]
        weight = {"weight": (*self._channels(), *self._kernel())} if self.own else {}
        return weight | ({"bias": (Factor("c_out", channels),)} if self.bias else {})

    def products(self, x: tuple[Shape, ...], y: Shape) -> tuple[Product, ...]:
        """The kernel at each place: of the output, or where it is transposed of the input."""
        rank = len(self.windows.kernel)
        places = (x[0] if self.transposed else y)[-rank:]
        leading = (x[0] if self.transposed else y)[: -rank - 1]
        names = [name[1:] or "n" for name in SIDES.get(rank, ())]
        return (
            (
                *self._kernel(), *reversed(self._channels()), *(Factor("n", side) for side in leading),
                *(Factor(name, side) for name, side in zip(names, places, strict=True)),
            ),
        )  # fmt: skip

    def operations(self, x: tuple[Shape, ...], y: Shape) -> int:
        return elements(y) if self.bias else 0

    def gradients(self, x: tuple[Shape, ...], y: Shape, wanted: Sequence[bool]) -> tuple[int, int]:
        """Of a computed kernel as of the other factor of a product."""
        if self.own:
            return super().gradients(x, y, wanted)
        return (self.macs(x, y) * sum(wanted[:2]), 0)

    def saves(self, x: tuple[Shape, ...], y: Shape) -> Saves:
        if not self.own:
            return Saves(FOR_WEIGHTS, inputs=(0, 1))
        return Saves(FOR_WEIGHTS, inputs=(0,))

    def reach(self, seen: Sequence[Seen | None], x: tuple[Shape, ...], y: Shape) -> Seen:
        own, kernel = seen[0], None if self.own else seen[1]
        ways = []
        if own is not None:
            channels = len(y) - self.slides - 1
            window = self.windows.transposed if self.transposed else self.windows.reach
            ways.append(window(own.mixed(channels, y[channels], self.groups), y))
        if kernel is not None:  # each of its numbers has a part in all that one channel puts out
            ways.append(kernel.over(*range(len(kernel.dims))))
        return united(ways, y)

    def notation(self, x: Shape, y: Shape) -> str:
        return f"{'×'.join(map(str, self.windows.kernel))}, {self.weight[not self.transposed]}"

    def figure(self, x: Shape, y: Shape) -> str:
        kernel, channels = self.notation(x, y).split(", ")
        paces = sorted({*self.windows.stride} - {1})
        pace = f", /{'/'.join(map(str, paces))}" if paces and not self.transposed else ""
        return f"{kernel} {'transposed ' if self.transposed else ''}conv, {channels}{pace}"


class Pool(Unweighted, OfGraph):
    """The largest or the mean of what a window holds: a comparison or a sum for each value in it."""

    beside = "1 a pooled value"
    in_figure = True

    def __init__(
        self, name: str, operator: str, shape: Shape, windows: Window, largest: bool
    ) -> None:
        super().__init__(name, operator, shape)
        self.windows, self.largest = windows, largest

    @property
    def slides(self) -> int:  # type: ignore[override]
        return len(self.windows.kernel)

    def sizes(self, x: Shape) -> tuple[Size, ...]:
        rank = len(self.windows.kernel)
        return self.windows.sizes(x[-rank:], self.shape[-rank:])

    def operations(self, x: tuple[Shape, ...], y: Shape) -> int:
        return (prod(self.windows.kernel) - self.largest) * elements(y)

    def pooled(self, x: Shape, y: Shape) -> int:
        return prod(self.windows.kernel) * elements(y)

    def saves(self, x: tuple[Shape, ...], y: Shape) -> Saves:
        if self.largest:
            return Saves(
                "the gradient goes to the place of each maximum", (0,), beside=self.held(x, y)
            )
        return Saves(FOR_SHAPE, inputs=(0,))

    def held(self, x: tuple[Shape, ...], y: Shape) -> tuple[Kept, ...]:
        return (Kept(elements(y), "index"),) if self.largest else ()

    def reach(self, seen: Sequence[Seen | None], x: tuple[Shape, ...], y: Shape) -> Seen:
        return self.windows.reach(one(seen), y)


class Resize(Unweighted, OfGraph):
    """An output from the nearest value, or from ``taps`` values along each dimension of ``sides``.

    ``anchor``: which places stay in place, the "edge" of the first, the "centre" of the whole, or the "corners".
    ``scales`` are inputs an output along each, as fractions, where they are others than of the sizes. ``smooth``: as many more
    values are read as there are fewer outputs.
    """

    beside = "a product and a sum a value read"

    def __init__(
        self, name: str, operator: str, shape: Shape, taps: int, sides: int = 2, anchor: str = "centre",
        scales: tuple[tuple[int, int], ...] = (), smooth: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(name, operator, shape)
        self.taps, self.sides, self.anchor = taps, sides, anchor
        self.scales, self.smooth = scales, smooth

    def sizes(self, x: Shape) -> tuple[Size, ...]:
        """A whole number of times what comes in, else as given."""
        return tuple(
            given(out) if out % n else Size("n·f", f"{n}·{out // n}", out)
            for n, out in zip(x[1:], self.shape[1:], strict=False)
        )

    def operations(self, x: tuple[Shape, ...], y: Shape) -> int:
        return 2 * self.taps**self.sides * elements(y) if self.taps > 1 else 0

    def saves(self, x: tuple[Shape, ...], y: Shape) -> Saves:
        return Saves("the gradient is handed on in the same parts")

    def reach(self, seen: Sequence[Seen | None], x: tuple[Shape, ...], y: Shape) -> Seen:
        own = one(seen)
        if own.shape[: len(y) - self.sides] != y[: len(y) - self.sides]:
            raise Unknown("its channels are resized")
        for side in range(self.sides):
            at = len(y) - self.sides + side
            if x[0][at] != y[at]:
                a, b = self.scales[side] if self.scales else (x[0][at], y[at])
                if self.anchor == "corners":
                    a, b = (x[0][at] - 1, y[at] - 1) if y[at] > 1 else (0, 1)
                common = gcd(a, b)
                a, b = a // common, b // common
                own = own.slid(at, y[at], self._taps(a, b), b, a)
        return own

    def _taps(self, a: int, b: int) -> Callable[[int], range]:
        """Which inputs an output reads, of ``a`` inputs for every ``b`` outputs."""
        from_centre = self.anchor == "centre"

        def nearest(place: int) -> range:
            at = ((2 * place + 1) * a if from_centre else 2 * place * a) // (2 * b)
            return range(at, at + 1)

        def several(place: int) -> range:
            twice = 2 * place * a + (a - b if from_centre else 0)
            at, beside = divmod(twice, 2 * b)
            if not beside:  # at a place itself, where the others weigh nothing
                return range(at, at + 1)
            return range(at + 1 - self.taps // 2, at + 1 + self.taps // 2)

        def smooth(place: int) -> range:
            middle, half = (2 * place + 1) * a, self.taps * a  # in halves of an output
            return range((middle - half + b) // (2 * b), (middle + half + b) // (2 * b))

        if self.taps == 1:
            return nearest
        return smooth if self.smooth and a > b else several


class Reduction(Unweighted, OfGraph):
    """A sum, mean, maximum or norm over some dimensions of a tensor, over all where none are named.

    ``picks`` where it says which number it took.
    """

    beside = "1 an input"

    def __init__(
        self,
        name: str,
        operator: str,
        shape: Shape,
        over: tuple[int, ...] = (),
        picks: bool = False,
    ) -> None:
        super().__init__(name, operator, shape)
        self.over, self.picks = over, picks

    def operations(self, x: tuple[Shape, ...], y: Shape) -> int:
        return elements(x[0])

    def saves(self, x: tuple[Shape, ...], y: Shape) -> Saves:
        if self.operator in ("mean", "sum"):
            return Saves("the gradient is handed on in equal parts")
        why = "the gradient goes to where the output came from"
        if self.picks:
            return Saves(why, beside=(Kept(elements(y), "index"),))
        return Saves(why, (0,), self.operator != "variance")

    def reach(self, seen: Sequence[Seen | None], x: tuple[Shape, ...], y: Shape) -> Seen:
        own = one(seen)
        return own.over(*(self.over or range(len(own.dims)))).laid(y)
