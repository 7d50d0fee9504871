"""Pools: the largest or the mean of what a window holds, and what attends to all places."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from resnet_cli.layers.arithmetic import Factor, Product, Shape, Size
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


class ZeroPaddedMaxPool2d(MaxPool2d):
    """The largest of k×k values, of zeros where the window is over the border, as Keras pads."""

    rule_name = "padded max pool"

    def __init__(self, name: str, kernel: int, stride: int, padding: int) -> None:
        super().__init__(name, kernel, stride, padding)

    def saves(self, x: tuple[Shape, ...], y: Shape) -> Saves:
        """The padded copy and the place of each maximum."""
        return Saves("the gradient goes to the place of each maximum", beside=self.held(x, y))

    def held(self, x: tuple[Shape, ...], y: Shape) -> tuple[Kept, ...]:
        return (*self._padded(x), Kept(elements(y), "index"))

    def held_backward(self, x: tuple[Shape, ...], y: Shape) -> tuple[Kept, ...]:
        return self._padded(x)

    def _padded(self, x: tuple[Shape, ...]) -> tuple[Kept, ...]:
        channels, *sides = x[0]
        return (Kept(channels * prod(side + 2 * self.padding for side in sides)),)

    def fields(self) -> dict[str, Any]:
        return {key: value for key, value in super().fields().items() if key != "ceil"}

    def module(self) -> Module:
        return Module("ZeroPaddedMaxPool2d", self.fields())


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


class BlurPool2d(Windowed, Fresh):
    """A mean weighted 1-2-1 along both sides of a map mirrored at its border, with a stride (Zhang 2019, Sec. 3.2).

    It runs as a convolution of each channel, whose kernel is a constant: no file of weights has it.
    """

    operator = "blur pool"
    autocast_known = False
    how = (
        "blur pool: a convolution of each channel by a constant kernel, counted as fvcore, torch and graphs "
        "count it: 9 MACs an output; who counts learned kernels alone takes them off"
    )
    in_figure = True
    kernel, padding = 3, 1

    def __init__(self, name: str, channels: int, stride: int) -> None:
        super().__init__(name)
        self.channels, self.stride = channels, stride

    def output_shape(self, *x: Shape) -> Shape:
        channels, *sides = x[0]
        if min(sides) < 2:  # there is nothing to mirror
            return (channels, 0, 0)
        return (channels, *self.sides(*sides))

    def tensors(self) -> dict[str, Product]:
        return {}

    def buffers(self) -> dict[str, Shape]:
        return {}

    def products(self, x: tuple[Shape, ...], y: Shape) -> tuple[Product, ...]:
        side, places = Factor("k", self.kernel), (Factor("h", y[1]), Factor("w", y[2]))
        return ((side, side, Factor("c", y[0]), *places),)

    def operations(self, x: tuple[Shape, ...], y: Shape) -> int:
        return 0

    def gradients(self, x: tuple[Shape, ...], y: Shape, wanted: Sequence[bool]) -> tuple[int, int]:
        """None is taken of the kernel."""
        return (self.macs(x, y) if any(wanted) else 0, 0)

    def saves(self, x: tuple[Shape, ...], y: Shape) -> Saves:
        """The input, of which mirroring takes the shape, and what is convolved."""
        return Saves("torch keeps what a convolution multiplies", (0,), beside=self.held(x, y))

    def held(self, x: tuple[Shape, ...], y: Shape) -> tuple[Kept, ...]:
        """The map with its mirrored border."""
        ((channels, height, width),) = x
        return (Kept(channels * (height + 2) * (width + 2)),)

    def held_backward(self, x: tuple[Shape, ...], y: Shape) -> tuple[Kept, ...]:
        return self.held(x, y)

    def module(self) -> Module:
        return Module("BlurPool", self.fields())

    def notation(self, x: Shape, y: Shape) -> str:
        return "blur pool"

    def figure(self, x: Shape, y: Shape) -> str:
        return f"blur pool, /{self.stride}"


class PaddedAvgPool2d(Windowed, Unweighted, Fresh):
    """The mean of k×k values at a stride of its own; the zeros of the padding count among them."""

    operator = "average pool"
    beside = "k² an output"
    in_figure = True

    def __init__(self, name: str, kernel: int, stride: int, padding: int) -> None:
        super().__init__(name)
        self.kernel, self.stride, self.padding = kernel, stride, padding

    def output_shape(self, *x: Shape) -> Shape:
        channels, height, width = x[0]
        return (channels, *self.sides(height, width))

    def operations(self, x: tuple[Shape, ...], y: Shape) -> int:
        return self.kernel**2 * elements(y)

    def saves(self, x: tuple[Shape, ...], y: Shape) -> Saves:
        return Saves(FOR_SHAPE, inputs=(0,))

    def module(self) -> Module:
        return Module("AvgPool2d", self.fields(), {"stride": None, "padding": 0})

    def notation(self, x: Shape, y: Shape) -> str:
        return f"{self.kernel}×{self.kernel} average pool"

    def figure(self, x: Shape, y: Shape) -> str:
        return "avg pool" + (f", /{self.stride}" if self.stride > 1 else "")


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


class AttentionPool2d(Fresh):
    """Attention to all places of a map and their mean, asked by the mean (Radford et al. 2021, Sec. 2.4).

    Tokens are the mean and the ``places``, each with its own learned position; heads are `HEAD` channels
    wide. With ``all_ask`` every token asks and is projected, as timm has it, and the mean's answer is taken.
    """

    operator = "attention pool"
    autocast_known = False
    beside = "a mean, positions, biases, a scale, 4 a score"
    how = "attention pool: projections, q·kᵀ and scores·v"
    counted = True
    in_figure = True

    def __init__(
        self, name: str, channels: int, out_features: int, places: int, all_ask: bool = False
    ) -> None:
        super().__init__(name)
        self.channels, self.out_features, self.places = channels, out_features, places
        self.all_ask = all_ask

    @property
    def _asking(self) -> int:
        return self.places + 1 if self.all_ask else 1

    def output_shape(self, *x: Shape) -> Shape:
        return (self.out_features,)

    def sizes(self, x: Shape) -> tuple[Size, ...]:
        return (Size("out", f"{self.out_features}", self.out_features),)

    def tensors(self) -> dict[str, Product]:
        own = Factor("c", self.channels)
        tensors: dict[str, Product] = {
            "positional_embedding": (Factor("h·w + 1", self.places + 1), own)
        }
        for part, out in (*((key, own) for key in "kqv"), ("c", Factor("out", self.out_features))):
            tensors |= {f"{part}_proj_weight": (out, own), f"{part}_proj_bias": (out,)}
        return tensors

    def buffers(self) -> dict[str, Shape]:
        return {}

    def products(self, x: tuple[Shape, ...], y: Shape) -> tuple[Product, ...]:
        """Keys and values of all tokens, queries and the projection of those that ask, scores, their sums."""
        own, out = Factor("c", self.channels), Factor("out", self.out_features)
        tokens, asking = Factor("h·w + 1", self.places + 1), Factor("q", self._asking)
        scores = (Factor("heads", self.channels // HEAD), asking, tokens, Factor("d", HEAD))
        return (
            (own, own, tokens), (own, own, tokens), (own, own, asking), scores, scores,
            (own, out, asking),
        )  # fmt: skip

    def activations(self, x: tuple[Shape, ...], y: Shape) -> int:
        tokens, asking, out = self._numbers
        return 2 * tokens + 2 * asking + out + self._scores

    @property
    def _scores(self) -> int:
        return self.channels // HEAD * self._asking * (self.places + 1)

    def operations(self, x: tuple[Shape, ...], y: Shape) -> int:
        """The mean, positions, a bias of each projection, the scale of queries, and the softmax."""
        tokens, asking, out = self._numbers
        return elements(x[0]) + 3 * tokens + 2 * asking + out + 4 * self._scores

    def gradients(self, x: tuple[Shape, ...], y: Shape, wanted: Sequence[bool]) -> tuple[int, int]:
        """Its own positions are learned, so the gradients of its tokens are made whatever came before."""
        macs = self.macs(x, y)
        return (macs, macs)

    def saves(self, x: tuple[Shape, ...], y: Shape) -> Saves:
        """Tokens, keys, values and queries as they are multiplied, the scores, and what is projected."""
        tokens, asking, _ = self._numbers
        beside = Kept(3 * tokens + 2 * asking + self._scores)
        return Saves("the gradients of its weights and scores are made of them", beside=(beside,))

    def held(self, x: tuple[Shape, ...], y: Shape) -> tuple[Kept, ...]:
        """While scores are made, keys and queries twice, in the order that they are multiplied in; or all at the end."""
        tokens, asking, out = self._numbers
        scored = 4 * tokens + 2 * asking + self._scores
        projected = 3 * tokens + (2 + self.all_ask) * asking + out
        return (Kept(max(scored, projected) - elements(y)),)

    def held_backward(self, x: tuple[Shape, ...], y: Shape) -> tuple[Kept, ...]:
        """Gradients of tokens, keys and values, and of what is projected."""
        tokens, _, out = self._numbers
        return (Kept(3 * tokens + out),)

    @property
    def _numbers(self) -> tuple[int, int, int]:
        """Numbers of the tokens, of those that ask, and of their answers once projected."""
        tokens = (self.places + 1) * self.channels
        return tokens, self._asking * self.channels, self._asking * self.out_features

    def reach(self, seen: Sequence[Seen | None], x: tuple[Shape, ...], y: Shape) -> Seen:
        own = one(seen)
        whole = own.over(*range(len(own.dims)))
        return whole._replace(dims=(whole.free(y[0]),))

    def module(self) -> Module:
        return Module("AttentionPool2d", self.fields(), {"all_ask": False})

    def notation(self, x: Shape, y: Shape) -> str:
        return f"attention pool, {self.out_features}-d"

    def figure(self, x: Shape, y: Shape) -> str:
        return f"attention pool {self.out_features}"


HEAD = 64
"""Channels of a head of an `AttentionPool2d` (Radford et al. 2021)."""
