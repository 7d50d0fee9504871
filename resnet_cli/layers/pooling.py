"""Pools: the largest or the mean of what a window holds."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from resnet_cli.layers.arithmetic import Shape, Size
from resnet_cli.layers.base import Fresh, Kept, Module, Saves, Unweighted, Windowed, elements
from resnet_cli.layers.reach import Seen, one

FOR_SHAPE = "torch takes its shape from it"
"""Why a mean's input is saved, of which no number is needed."""


class MaxPool2d(Windowed, Unweighted, Fresh):
    """The largest of k×k values: k² − 1 comparisons an output; with ``ceil`` a last window may be cut."""

    operator = "max pool"
    beside = "k² − 1 an output"
    in_figure = True

    def __init__(
        self, name: str, kernel: int, stride: int, padding: int = 0, ceil: bool = False
    ) -> None:
        super().__init__(name)
        self.kernel, self.stride, self.padding, self.ceil = kernel, stride, padding, ceil

    def output_shape(self, *x: Shape) -> Shape:
        channels, height, width = x[0]
        return (channels, *self.sides(height, width))

    def sides(self, *sides: int) -> tuple[int, ...]:
        if not self.ceil:
            return super().sides(*sides)
        beyond = 2 * self.padding - self.kernel
        return tuple(-(-(side + beyond) // self.stride) + 1 for side in sides)

    def sizes(self, x: Shape) -> tuple[Size, ...]:
        floor = str.maketrans("⌊⌋", "⌈⌉" if self.ceil else "⌊⌋")
        return tuple(
            Size(formula.translate(floor), numbers.translate(floor), result)
            for formula, numbers, result in super().sizes(x)
        )

    def operations(self, x: tuple[Shape, ...], y: Shape) -> int:
        return (self.kernel**2 - 1) * elements(y)

    def saves(self, x: tuple[Shape, ...], y: Shape) -> Saves:
        """The input and the place of each maximum."""
        return Saves("the gradient goes to the place of each maximum", (0,), beside=self.held(x, y))

    def held(self, x: tuple[Shape, ...], y: Shape) -> tuple[Kept, ...]:
        return (Kept(elements(y), "index"),)

    def module(self) -> Module:
        arguments = self.fields()
        arguments["ceil_mode"] = arguments.pop("ceil")
        usual = {"stride": None, "padding": 0, "ceil_mode": False}
        return Module("MaxPool2d", arguments, usual)

    def notation(self, x: Shape, y: Shape) -> str:
        return f"{self.kernel}×{self.kernel} max pool"

    def figure(self, x: Shape, y: Shape) -> str:
        return "pool" + (f", /{self.stride}" if self.stride > 1 else "")


class AvgPool2d(Unweighted, Fresh):
    """The mean of k×k values, stride k; with ``ceil`` a last window is cut at the border, else left out."""

    operator = "average pool"
    beside = "1 an input"
    in_figure = True
    slides = 2

    def __init__(self, name: str, kernel: int, ceil: bool = True) -> None:
        super().__init__(name)
        self.kernel, self.ceil = kernel, ceil

    @property
    def window(self) -> tuple[int, int, int]:
        return (self.kernel, self.kernel, 0)

    def output_shape(self, *x: Shape) -> Shape:
        channels, height, width = x[0]
        return (channels, *(side.result for side in self.sizes((channels, height, width))))

    def sizes(self, x: Shape) -> tuple[Size, ...]:
        k = self.kernel
        if self.ceil:
            return tuple(Size("⌈n / s⌉", f"⌈{n} / {k}⌉", -(-n // k)) for n in x[1:])
        return tuple(Size("⌊n / s⌋", f"⌊{n} / {k}⌋", n // k) for n in x[1:])

    def operations(self, x: tuple[Shape, ...], y: Shape) -> int:
        return elements(x[0])

    def saves(self, x: tuple[Shape, ...], y: Shape) -> Saves:
        return Saves(FOR_SHAPE, inputs=(0,))

    def reach(self, seen: Sequence[Seen | None], x: tuple[Shape, ...], y: Shape) -> Seen:
        own, window = one(seen), self.window
        return own.windowed(1, y[1], *window).windowed(2, y[2], *window)

    def module(self) -> Module:
        cut = {"ceil_mode": self.ceil, "count_include_pad": not self.ceil}
        usual = {"ceil_mode": False, "count_include_pad": True}
        return Module("AvgPool2d", {"kernel": self.kernel, **cut}, usual)

    def figure(self, x: Shape, y: Shape) -> str:
        return "avg pool" + (f", /{self.kernel}" if self.kernel > 1 else "")


class AdaptiveAvgPool2d(Unweighted, Fresh):
    """The mean over whatever windows give size×size; one operation an input element."""

    operator = "average pool"
    rule_name = "adaptive pool"
    beside = "1 an input"
    in_figure = True

    def __init__(self, name: str, size: int = 1) -> None:
        super().__init__(name)
        self.size = size

    def output_shape(self, *x: Shape) -> Shape:
        return (x[0][0], self.size, self.size)

    def sizes(self, x: Shape) -> tuple[Size, ...]:
        return tuple(Size("fixed, whatever comes in", f"{self.size}", self.size) for _ in x[1:])

    def operations(self, x: tuple[Shape, ...], y: Shape) -> int:
        return elements(x[0])

    def pooled(self, x: Shape, y: Shape) -> int:
        """Where windows overlap, a value counts several times."""
        channels, *sides = x
        return channels * prod(
            sum(
                -(-(at + 1) * side // self.size) - at * side // self.size for at in range(self.size)
            )
            for side in sides
        )

    def saves(self, x: tuple[Shape, ...], y: Shape) -> Saves:
        """Pooling to one pixel is a mean, whose gradient needs no numbers."""
        if self.size == 1:
            return Saves("the gradient is handed on in equal parts")
        return Saves(FOR_SHAPE, inputs=(0,))

    def reach(self, seen: Sequence[Seen | None], x: tuple[Shape, ...], y: Shape) -> Seen:
        if self.size == 1:
            return one(seen).over(1, 2)
        return one(seen).pooled(1, x[0][1], self.size).pooled(2, x[0][2], self.size)

    def module(self) -> Module:
        return Module("AdaptiveAvgPool2d", self.fields())

    def notation(self, x: Shape, y: Shape) -> str:
        return "average pool" if self.size == 1 else ""

    def figure(self, x: Shape, y: Shape) -> str:
        return "avg pool"
