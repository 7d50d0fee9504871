"""The leaves of a network and the three ways of putting them together.

A leaf knows its shapes, its tensors and its cost, and nothing of where it stands. `Sequence`,
`Residual` and `Stage` hold leaves and one another; `resnet_cli.trace` walks them.

Shapes are (channels, height, width), or (features,) once flattened, for one input.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import NamedTuple, TypeAlias

Shape: TypeAlias = tuple[int, ...]


@dataclass(frozen=True)
class Layer:
    """A leaf: by default it keeps its input's shape, holds no tensor and costs nothing.

    ``name`` is its part of torch's path. Leaves with nothing but a name need no decorator of their
    own, each of which costs every start of the program half a millisecond.
    """

    name: str
    kind = ""

    @property
    def window(self) -> tuple[int, int, int]:
        """Kernel, stride and padding, the same in both directions."""
        return (1, 1, 0)

    def output_shape(self, x: Shape) -> Shape:
        """The shape that an input of shape ``x`` leaves with."""
        return x

    def parameters(self) -> dict[str, Shape]:
        """Learnable tensors: torch's name -> shape, in state-dict order."""
        return {}

    def buffers(self) -> dict[str, Shape]:
        """Running statistics: torch's name -> shape, in state-dict order."""
        return {}

    def macs(self, x: Shape, y: Shape) -> int:
        """Multiply-accumulates for one input of shape ``x`` and output of shape ``y``."""
        return 0

    def operations(self, x: Shape, y: Shape) -> int:
        """Elementary operations that are not MACs: a sum, product, comparison or sigmoid each."""
        return 0


@dataclass(frozen=True)
class Conv2d(Layer):
    """A square convolution; output size ⌊(n + 2p − k) / s⌋ + 1."""

    in_channels: int
    out_channels: int
    kernel: int
    stride: int = 1
    padding: int = 0
    groups: int = 1
    bias: bool = False
    kind = "convolution"

    @property
    def window(self) -> tuple[int, int, int]:
        return (self.kernel, self.stride, self.padding)

    def output_shape(self, x: Shape) -> Shape:
        reach = 2 * self.padding - self.kernel
        _, height, width = x
        return (
            self.out_channels,
            (height + reach) // self.stride + 1,
            (width + reach) // self.stride + 1,
        )

    def parameters(self) -> dict[str, Shape]:
        weight = (self.out_channels, self.in_channels // self.groups, self.kernel, self.kernel)
        if self.bias:
            return {"weight": weight, "bias": (self.out_channels,)}
        return {"weight": weight}

    def macs(self, x: Shape, y: Shape) -> int:
        """k·k·(c_in / groups) for every element of the output; a bias is not a MAC."""
        return self.kernel**2 * (self.in_channels // self.groups) * y[0] * y[1] * y[2]

    def operations(self, x: Shape, y: Shape) -> int:
        return prod(y) if self.bias else 0


@dataclass(frozen=True)
class Linear(Layer):
    """A fully connected layer, always with a bias."""

    in_features: int
    out_features: int
    kind = "linear"

    def output_shape(self, x: Shape) -> Shape:
        return (self.out_features,)

    def parameters(self) -> dict[str, Shape]:
        return {"weight": (self.out_features, self.in_features), "bias": (self.out_features,)}

    def macs(self, x: Shape, y: Shape) -> int:
        return self.in_features * self.out_features

    def operations(self, x: Shape, y: Shape) -> int:
        return self.out_features


@dataclass(frozen=True)
class BatchNorm2d(Layer):
    """Batch normalisation: a learned scale and shift, and two running statistics, a channel."""

    channels: int
    kind = "batch norm"

    def parameters(self) -> dict[str, Shape]:
        return {"weight": (self.channels,), "bias": (self.channels,)}

    def buffers(self) -> dict[str, Shape]:
        return {
            "running_mean": (self.channels,),
            "running_var": (self.channels,),
            "num_batches_tracked": (),
        }

    def operations(self, x: Shape, y: Shape) -> int:
        """Two an element, as at inference: scale and shift."""
        return 2 * prod(y)


class ReLU(Layer):
    """One comparison an element."""

    kind = "ReLU"

    def operations(self, x: Shape, y: Shape) -> int:
        return prod(y)


class Sigmoid(Layer):
    """One operation an element."""

    kind = "sigmoid"

    def operations(self, x: Shape, y: Shape) -> int:
        return prod(y)


class Dropout(Layer):
    """Does nothing at inference."""

    kind = "dropout"


@dataclass(frozen=True)
class MaxPool2d(Layer):
    """The largest of k×k values: k² − 1 comparisons an output."""

    kernel: int
    stride: int
    padding: int = 0
    kind = "max pool"

    @property
    def window(self) -> tuple[int, int, int]:
        return (self.kernel, self.stride, self.padding)

    def output_shape(self, x: Shape) -> Shape:
        reach = 2 * self.padding - self.kernel
        channels, height, width = x
        return (channels, (height + reach) // self.stride + 1, (width + reach) // self.stride + 1)

    def operations(self, x: Shape, y: Shape) -> int:
        return (self.kernel**2 - 1) * prod(y)


@dataclass(frozen=True)
class AvgPool2d(Layer):
    """The mean of k×k values, stride k, the last window cut at the border (ceil mode)."""

    kernel: int
    kind = "average pool"

    @property
    def window(self) -> tuple[int, int, int]:
        return (self.kernel, self.kernel, 0)

    def output_shape(self, x: Shape) -> Shape:
        channels, height, width = x
        return (channels, -(-height // self.kernel), -(-width // self.kernel))

    def operations(self, x: Shape, y: Shape) -> int:
        return prod(x)


@dataclass(frozen=True)
class AdaptiveAvgPool2d(Layer):
    """The mean over whatever windows give size×size; one operation an input element."""

    size: int = 1
    kind = "average pool"

    def output_shape(self, x: Shape) -> Shape:
        return (x[0], self.size, self.size)

    def operations(self, x: Shape, y: Shape) -> int:
        return prod(x)


class Flatten(Layer):
    """(c, h, w) -> (c·h·w,)."""

    kind = "flatten"

    def output_shape(self, x: Shape) -> Shape:
        return (prod(x),)


@dataclass(frozen=True)
class PadShortcut(Layer):
    """Option A (He et al. 2015, Sec. 3.3): every stride-th pixel, new channels filled with zeros."""

    out_channels: int
    stride: int
    kind = "zero padding"

    @property
    def window(self) -> tuple[int, int, int]:
        return (1, self.stride, 0)

    def output_shape(self, x: Shape) -> Shape:
        _, height, width = x
        return (self.out_channels, -(-height // self.stride), -(-width // self.stride))


class Add(Layer):
    """Where a shortcut meets its block: element by element."""

    kind = "addition"

    def operations(self, x: Shape, y: Shape) -> int:
        return prod(y)


@dataclass(frozen=True)
class ScaledAdd(Add):
    """λ·shortcut + μ·body: constant scaling (He et al. 2016, Sec. 3.1, Fig. 2b)."""

    shortcut: float
    body: float

    def operations(self, x: Shape, y: Shape) -> int:
        return (1 + (self.shortcut != 1) + (self.body != 1)) * prod(y)


@dataclass(frozen=True)
class GatedAdd(Layer):
    """(1 − g)·shortcut + body, with g a sigmoid of a 1×1 convolution of the shortcut (Fig. 2d).

    Where it is ``exclusive`` the body is multiplied by g (Fig. 2c). He et al. 2016, Sec. 3.1.
    """

    channels: int
    exclusive: bool
    kind = "gated addition"

    def parameters(self) -> dict[str, Shape]:
        return {"weight": (self.channels, self.channels, 1, 1), "bias": (self.channels,)}

    def macs(self, x: Shape, y: Shape) -> int:
        return self.channels * prod(y)

    def operations(self, x: Shape, y: Shape) -> int:
        """Bias, sigmoid, 1 − g, product and sum; one more product where exclusive."""
        return (5 + self.exclusive) * prod(y)


class Scale(Layer):
    """Where a gate meets what it gates: every element times its channel's gate."""

    kind = "scale"

    def operations(self, x: Shape, y: Shape) -> int:
        return prod(y)


ADDITION = Add("add")

Node: TypeAlias = "Layer | Sequence | Residual | Stage"


class Sequence(NamedTuple):
    """Parts one after another. ``label`` is set where it is a block of a plain network."""

    name: str
    parts: tuple[Node, ...]
    label: str = ""


class Residual(NamedTuple):
    """merge(body(x), shortcut(x)) with x = before(input), then ``after``.

    No shortcut is the identity. With ``merge=Scale()`` the body is a gate (squeeze-excitation).
    """

    name: str
    body: tuple[Node, ...]
    shortcut: tuple[Node, ...] = ()
    before: tuple[Node, ...] = ()
    after: tuple[Node, ...] = ()
    merge: Add | GatedAdd | Scale = ADDITION
    label: str = ""


class Stage(NamedTuple):
    """A row of the paper's Table 1. Torch never sees it: its parts stand at the same path."""

    label: str
    parts: tuple[Node, ...]
