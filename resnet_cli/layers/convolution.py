"""Convolutions, and the layer that is a 1×1 of one pixel: fully connected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from resnet_cli.layers.arithmetic import Factor, Product, Shape, Size
from resnet_cli.layers.base import Fresh, Kept, Layer, Module, SameShape, Saves, Windowed, elements
from resnet_cli.layers.reach import Seen, one

FOR_WEIGHTS = "the gradient of its weights is made of it"
"""Why what is multiplied by weights is saved."""


class Convolving(Layer):
    """What papers count and draw of a convolution, whatever its sides."""

    beside = "bias 1 an output"
    counted = True
    convolution = True
    in_figure = True
    on_shortcut = "projection"


class Conv2d(Convolving, Windowed, Fresh):
    """A square convolution; output size ⌊(n + 2p − d·(k − 1) − 1) / s⌋ + 1."""

    operator = "convolution"

    def __init__(
        self,
        name: str,
        in_channels: int,
        out_channels: int,
        kernel: int,
        stride: int = 1,
        padding: int = 0,
        groups: int = 1,
        bias: bool = False,
        dilation: int = 1,
    ) -> None:
        super().__init__(name)
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel = kernel
        self.stride = stride
        self.padding = padding
        self.groups = groups
        self.bias = bias
        self.dilation = dilation

    def output_shape(self, *x: Shape) -> Shape:
        _, height, width = x[0]
        stride, beyond = self.stride, 2 * self.padding - self.dilation * (self.kernel - 1) - 1
        return (
            self.out_channels, (height + beyond) // stride + 1, (width + beyond) // stride + 1,
        )  # fmt: skip

    def tensors(self) -> dict[str, Product]:
        out, side = Factor("c_out", self.out_channels), Factor("k", self.kernel)
        weight = (out, Factor("c_in", self.in_channels, "groups", self.groups), side, side)
        return {"weight": weight, "bias": (out,)} if self.bias else {"weight": weight}

    def buffers(self) -> dict[str, Shape]:
        return {}

    def products(self, x: tuple[Shape, ...], y: Shape) -> tuple[Product, ...]:
        """k·k·(c_in / groups)·c_out at each of h·w places; a bias is not a MAC."""
        out, inputs, side, _ = self.tensors()["weight"]
        return ((side, side, inputs, out, Factor("h", y[1]), Factor("w", y[2])),)

    def operations(self, x: tuple[Shape, ...], y: Shape) -> int:
        return elements(y) if self.bias else 0

    def saves(self, x: tuple[Shape, ...], y: Shape) -> Saves:
        return Saves(FOR_WEIGHTS, inputs=(0,))

    def reach(self, seen: Sequence[Seen | None], x: tuple[Shape, ...], y: Shape) -> Seen:
        return super().reach([one(seen).mixed(0, self.out_channels, self.groups)], x, y)

    def module(self) -> Module:
        usual = {"stride": 1, "padding": 0, "groups": 1, "bias": True, "dilation": 1}
        return Module("Conv2d", self.fields(), usual)

    def notation(self, x: Shape, y: Shape) -> str:
        """`3×3, 64`, with the groups as ResNeXt prints them, C=32, and the dilation."""
        groups = f", C={self.groups}" if self.groups > 1 else ""
        return f"{self.kernel}×{self.kernel}, {self.out_channels}{groups}{self._dilated()}"

    def _dilated(self) -> str:
        return f", dilation {self.dilation}" if self.dilation > 1 else ""

    def figure(self, x: Shape, y: Shape) -> str:
        groups = f", C={self.groups}" if self.groups > 1 else ""
        pace = f", /{self.stride}" if self.stride > 1 else ""
        return (
            f"{self.kernel}×{self.kernel} conv, {self.out_channels}{groups}{pace}{self._dilated()}"
        )


class StdConv2d(Conv2d):
    """A convolution of standardised weights (Qiao et al. 2019), which are made once, whatever the batch."""

    rule_name = "standardised convolution"
    autocast_known = False
    as_stored = False

    def _weights(self) -> int:
        return elements(self.parameters()["weight"])

    def saves(self, x: tuple[Shape, ...], y: Shape) -> Saves:
        """The input, the standardised weights, and a mean and an inverse deviation an output channel."""
        statistics = Kept(2 * self.out_channels, "statistic", each=False)
        return Saves(FOR_WEIGHTS, inputs=(0,), beside=(*self.held(x, y), statistics))

    def held(self, x: tuple[Shape, ...], y: Shape) -> tuple[Kept, ...]:
        """The standardised weights; backward their gradient."""
        return (Kept(self._weights(), each=False),)

    def held_backward(self, x: tuple[Shape, ...], y: Shape) -> tuple[Kept, ...]:
        return self.held(x, y)

    def module(self) -> Module:
        return super().module()._replace(name="StdConv2d")


class ChannelConv(SameShape, Fresh):
    """A convolution along the channels of a pooled input, (c, 1, 1): ECA's (Wang et al. 2020, Fig. 2).

    ``kernel`` is odd; it is padded so that as many channels come out, and has no bias.
    """

    operator = "channel convolution"

    def __init__(self, name: str, kernel: int) -> None:
        super().__init__(name)
        self.kernel = kernel

    def tensors(self) -> dict[str, Product]:
        one = Factor("1", 1)
        return {"weight": (one, one, Factor("k", self.kernel))}

    def buffers(self) -> dict[str, Shape]:
        return {}

    def products(self, x: tuple[Shape, ...], y: Shape) -> tuple[Product, ...]:
        return ((Factor("k", self.kernel), Factor("c", y[0])),)

    def operations(self, x: tuple[Shape, ...], y: Shape) -> int:
        return 0

    def saves(self, x: tuple[Shape, ...], y: Shape) -> Saves:
        return Saves(FOR_WEIGHTS, inputs=(0,))

    def module(self) -> Module:
        return Module("ChannelConv", self.fields())

    def notation(self, x: Shape, y: Shape) -> str:
        return f"ECA, k={self.kernel}"


class Linear(Fresh):
    """A fully connected layer: of a vector, or of each of many (tokens).

    ``copied`` are the numbers of its input that torch puts in another order first, 0 where it need not.
    """

    operator = "linear"
    beside = "bias 1 an output"
    counted = True
    in_figure = True
    on_shortcut = "projection"

    def __init__(
        self, name: str, in_features: int, out_features: int, bias: bool = True, copied: int = 0
    ) -> None:
        super().__init__(name)
        self.in_features, self.out_features, self.bias = in_features, out_features, bias
        self.copied = copied

    def output_shape(self, *x: Shape) -> Shape:
        return (*x[0][:-1], self.out_features)

    def sizes(self, x: Shape) -> tuple[Size, ...]:
        kept = tuple(Size("n", f"{side}", side) for side in x[:-1])
        sizes = (*kept, Size("out", f"{self.out_features}", self.out_features))
        return sizes if len(sizes) == 1 else sizes[1:]

    def tensors(self) -> dict[str, Product]:
        out = Factor("out", self.out_features)
        weight = (out, Factor("in", self.in_features))
        return {"weight": weight, "bias": (out,)} if self.bias else {"weight": weight}

    def buffers(self) -> dict[str, Shape]:
        return {}

    def products(self, x: tuple[Shape, ...], y: Shape) -> tuple[Product, ...]:
        tokens = tuple(Factor("n", side) for side in y[:-1])
        return ((Factor("in", self.in_features), Factor("out", self.out_features), *tokens),)

    def operations(self, x: tuple[Shape, ...], y: Shape) -> int:
        return elements(y) if self.bias else 0

    def saves(self, x: tuple[Shape, ...], y: Shape) -> Saves:
        return Saves(FOR_WEIGHTS, inputs=(0,), copied=(self.copied,))

    def reach(self, seen: Sequence[Seen | None], x: tuple[Shape, ...], y: Shape) -> Seen:
        own = one(seen)
        return own.mixed(len(own.dims) - 1, self.out_features)

    def fields(self) -> dict[str, Any]:
        return {key: value for key, value in super().fields().items() if key != "copied"}

    def module(self) -> Module:
        sides = {"in_features": self.in_features, "out_features": self.out_features}
        return Module("Linear", {**sides, "bias": self.bias}, {"bias": True})

    def notation(self, x: Shape, y: Shape) -> str:
        """`1000-d fc`, or the 1×1 that it is to a map."""
        return f"1×1, {self.out_features}" if len(y) == 3 else f"{self.out_features}-d fc"

    def figure(self, x: Shape, y: Shape) -> str:
        return f"1×1, {self.out_features}" if len(y) == 3 else f"fc {self.out_features}"
