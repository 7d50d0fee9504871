"""Windows of any form, as graphs bring them: convolutions and pools of one to three dimensions, resizing."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

from resnet_cli.layers.arithmetic import Factor, Product, Shape
from resnet_cli.layers.base import Kept, Layer, OfGraph, Saves, Unweighted, elements
from resnet_cli.layers.convolution import FOR_WEIGHTS
from resnet_cli.layers.pooling import FOR_SHAPE
from resnet_cli.layers.reach import UNKNOWN, Reach


class Window(NamedTuple):
    """Along each spatial dimension: kernel, stride, padding before the first place, dilation."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]

    def along(self, side: int) -> Window:
        """The window along one dimension, as if it were the same along all."""
        if len(self.kernel) != 2:
            return self
        return Window(*((sides[side],) * len(sides) for sides in self))

    def reach(self, seen: Reach, neurons: int) -> Reach:
        """Of the ``neurons`` behind the window along its first dimension."""
        kernel, stride, padding, dilation = (sides[0] for sides in self)
        return seen.through(dilation * (kernel - 1) + 1, stride, padding, neurons)


class Convolution(OfGraph):
    """A convolution in one to three dimensions, dilated, transposed, of unequal sides, or of a computed kernel.

    ``weight`` is its shape as torch has it, of which ``own`` says whether the layer holds it: else it is
    the second tensor that it reads. Dumoulin & Visin 2016, "A guide to convolution arithmetic".
    """

    beside = "bias 1 an output"
    counted = True
    convolution = True
    in_figure = True
    on_shortcut = "projection"

    def __init__(
        self, name: str, operator: str, shape: Shape, weight: Shape, windows: Window,
        groups: int = 1, own: bool = True, bias: bool = False, transposed: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(name, operator, shape)
        self.weight, self.windows, self.groups = weight, windows, groups
        self.own, self.bias, self.transposed = own, bias, transposed

    def along(self, side: int) -> Layer:
        return Convolution(
            self.name, self.operator, self.shape, self.weight, self.windows.along(side),
            self.groups, self.own, self.bias, self.transposed,
        )  # fmt: skip

    def _sides(self) -> Product:
        symbols = ("c_in", "c_out") if self.transposed else ("c_out", "c_in")
        sides = tuple(Factor(f"k{at}", side) for at, side in enumerate(self.weight[2:], 1))
        return (Factor(symbols[0], self.weight[0]), Factor(symbols[1], self.weight[1]), *sides)

    def tensors(self) -> dict[str, Product]:
        channels = self.weight[1] * self.groups if self.transposed else self.weight[0]
        weight = {"weight": self._sides()} if self.own else {}
        return weight | ({"bias": (Factor("c_out", channels),)} if self.bias else {})

    def products(self, x: tuple[Shape, ...], y: Shape) -> tuple[Product, ...]:
        """The kernel at each place: of the output, or where it is transposed of the input."""
        rank = len(self.windows.kernel)
        places = (x[0] if self.transposed else y)[-rank:]
        leading = (x[0] if self.transposed else y)[: -rank - 1]
        return ((*self._sides(), *(Factor("n", side) for side in (*leading, *places))),)

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

    def reach(self, seen: Sequence[Reach], x: int, y: int) -> Reach:
        if self.transposed or len(self.windows.kernel) != 2:
            return UNKNOWN
        return self.windows.reach(seen[0], y)

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

    def along(self, side: int) -> Layer:
        return Pool(self.name, self.operator, self.shape, self.windows.along(side), self.largest)

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

    def reach(self, seen: Sequence[Reach], x: int, y: int) -> Reach:
        return self.windows.reach(seen[0], y) if len(self.windows.kernel) == 2 else UNKNOWN


class Resize(Unweighted, OfGraph):
    """An output from the nearest value, or from ``taps`` values along each dimension of ``sides``."""

    beside = "a product and a sum a value read"

    def __init__(self, name: str, operator: str, shape: Shape, taps: int, sides: int = 2) -> None:
        super().__init__(name, operator, shape)
        self.taps, self.sides = taps, sides

    def operations(self, x: tuple[Shape, ...], y: Shape) -> int:
        return 2 * self.taps**self.sides * elements(y) if self.taps > 1 else 0

    def saves(self, x: tuple[Shape, ...], y: Shape) -> Saves:
        return Saves("the gradient is handed on in the same parts")

    def reach(self, seen: Sequence[Reach], x: int, y: int) -> Reach:
        return seen[0] if x == y else UNKNOWN


class Reduction(Unweighted, OfGraph):
    """A sum, mean, maximum or norm over sides of a tensor.

    ``whole`` where that is all of each map; ``picks`` where it says which number it took.
    """

    beside = "1 an input"

    def __init__(
        self, name: str, operator: str, shape: Shape, whole: bool = False, picks: bool = False
    ) -> None:
        super().__init__(name, operator, shape)
        self.whole, self.picks = whole, picks

    def operations(self, x: tuple[Shape, ...], y: Shape) -> int:
        return elements(x[0])

    def saves(self, x: tuple[Shape, ...], y: Shape) -> Saves:
        if self.operator in ("mean", "sum"):
            return Saves("the gradient is handed on in equal parts")
        why = "the gradient goes to where the output came from"
        if self.picks:
            return Saves(why, beside=(Kept(elements(y), "index"),))
        return Saves(why, (0,), self.operator != "variance")

    def reach(self, seen: Sequence[Reach], x: int, y: int) -> Reach:
        return seen[0].whole() if self.whole else UNKNOWN
