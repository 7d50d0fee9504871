"""The residual blocks, and the shortcuts A, B and C between their ends."""

from __future__ import annotations

from collections.abc import Callable
from math import log2
from typing import TYPE_CHECKING

from resnet_cli.layers.base import Layer
from resnet_cli.layers.convolution import ChannelConv, Conv2d
from resnet_cli.layers.elementwise import (
    ELU,
    GELU,
    Dropout,
    Hardswish,
    LeakyReLU,
    Mish,
    ReLU,
    Sigmoid,
    SiLU,
)
from resnet_cli.layers.merging import ADDITION, Add, GatedAdd, Scale, ScaledAdd
from resnet_cli.layers.normalisation import BatchNorm2d, FrozenBatchNorm2d, GroupNorm
from resnet_cli.layers.pooling import AdaptiveAvgPool2d, AvgPool2d, BlurPool2d, MaxPool2d
from resnet_cli.layers.shaping import PadShortcut
from resnet_cli.layers.tree import Node, Residual, Sequence

if TYPE_CHECKING:
    from resnet_cli.designs.resnet import ResNet

EXPANSION = {"basic": 1, "bottleneck": 4}
"""Output channels of a block, in units of its width (He et al. 2015, Fig. 5)."""
TITLES = {"basic": "BasicBlock", "bottleneck": "Bottleneck"}
GATES = ("gate", "exclusive-gate")
"""Shortcuts that are multiplied by 1 − g(x) (He et al. 2016, Table 1)."""


SHORTCUTS = ("A", "A-split", "B", "C", "none", *GATES, "dropout")
ACTIVATIONS: dict[str, type[Layer]] = {
    "ReLU": ReLU, "SiLU": SiLU, "GELU": GELU, "LeakyReLU": LeakyReLU, "ELU": ELU, "Mish": Mish, "Hardswish": Hardswish,
}  # fmt: skip
"""By torch's names."""
NORMS = ("batch", "group", "frozen")


def activation(spec: ResNet, name: str) -> Layer:
    """The spec's activation; it keeps torchvision's path, relu, whichever it is."""
    return ACTIVATIONS[spec.activation](name)


def norm(spec: ResNet, name: str, channels: int) -> Layer:
    """The spec's norm; group norm has 32 groups (Wu & He 2018)."""
    if spec.norm == "group":
        return GroupNorm(name, 32, channels)
    return (FrozenBatchNorm2d if spec.norm == "frozen" else BatchNorm2d)(name, channels)


def basic(
    spec: ResNet, channels: int, width: int, stride: int, dilations: tuple[int, int] = (1, 1)
) -> list[Node]:
    """3×3, 3×3 (He et al. 2015, Fig. 5 left), each with its dilation."""
    first, second = dilations
    bias = spec.conv_bias
    pace, smoothing = antialiased(spec, width, stride)
    return [
        Conv2d("conv1", channels, width, 3, pace, first, bias=bias, dilation=first),
        norm(spec, "bn1", width),
        activation(spec, "relu"),
        *smoothing,
        Conv2d("conv2", width, width, 3, 1, second, bias=bias or spec.end_bias, dilation=second),
        norm(spec, "bn2", width),
    ]


def bottleneck(
    spec: ResNet, channels: int, width: int, stride: int, dilations: tuple[int, int] = (1, 1)
) -> list[Node]:
    """1×1 reduce, 3×3, 1×1 restore (He et al. 2015, Fig. 5 right).

    The stride is in the first 1×1 for style v1, in the 3×3 for v1.5. Groups and base width make
    it ResNeXt's (Xie et al. 2017, Fig. 3c) or a wide one, and ``reduce_first`` narrows its first 1×1
    (SENet-154, Hu et al. 2018, appendix). Its 3×3 has the first of the dilations.
    """
    dilation, _ = dilations
    middle = width * spec.base_width // 64 * spec.groups
    narrow = middle // spec.reduce_first
    first, second = (stride, 1) if spec.style == "v1" else (1, stride)
    second, smoothing = antialiased(spec, middle, second)
    bias = spec.conv_bias
    return [
        Conv2d("conv1", channels, narrow, 1, first, bias=bias),
        norm(spec, "bn1", narrow),
        activation(spec, "relu"),
        Conv2d("conv2", narrow, middle, 3, second, dilation, spec.groups, bias, dilation),
        norm(spec, "bn2", middle),
        activation(spec, "relu"),
        *smoothing,
        Conv2d("conv3", middle, 4 * width, 1, bias=bias or spec.end_bias),
        norm(spec, "bn3", 4 * width),
    ]


def antialiased(
    spec: ResNet, channels: int, stride: int, name: str = "aa"
) -> tuple[int, list[Node]]:
    """The stride that a 3×3 keeps, and the mean or blur behind it that strides in its place (Zhang 2019, Sec. 3.2)."""
    if spec.antialias == "none" or stride == 1:
        return stride, []
    if spec.antialias == "blur":
        return 1, [BlurPool2d(name, channels, stride)]
    return 1, [AvgPool2d(name, stride, ceil=False)]


def activate_first(spec: ResNet, body: list[Node], channels: int) -> tuple[list[Node], list[Node]]:
    """The same convolutions with each norm and activation before them (He et al. 2016, Fig. 1b).

    Returns the first norm and activation apart: where the shortcut starts depends on its kind.
    """
    convolutions = [layer for layer in body if isinstance(layer, Conv2d)]
    first: list[Node] = [norm(spec, "bn1", channels), activation(spec, "relu")]
    rest: list[Node] = [convolutions[0]]
    for number, convolution in enumerate(convolutions[1:], start=2):
        before = norm(spec, f"bn{number}", convolution.in_channels)
        rest += [before, activation(spec, "relu"), convolution]
    return first, rest


def rounded(channels: int, multiple: int) -> int:
    """The nearest multiple, and one at least: the middle of a gate as libraries round it."""
    return max(multiple, (channels + multiple // 2) // multiple * multiple)


RELU = ReLU("relu")


def squeeze_excitation(channels: int, squeezed: int, between: Layer = RELU) -> Residual:
    """Pool, reduce, restore, sigmoid; every channel is scaled by its gate (Hu et al. 2018, Fig. 3)."""
    gate = (
        AdaptiveAvgPool2d("pool"),
        Conv2d("fc1", channels, squeezed, 1, bias=True),
        between,
        Conv2d("fc2", squeezed, channels, 1, bias=True),
        Sigmoid("gate"),
    )
    return Residual("se", gate, merge=Scale("scale"), title="SqueezeExcitation")


def efficient_channel_attention(channels: int) -> Residual:
    """Pool, a convolution along the channels, sigmoid (Wang et al. 2020, Fig. 2 and Eq. 12)."""
    kernel = int((log2(channels) + 1) / 2) // 2 * 2 + 1  # the nearest odd, γ = 2 and b = 1
    gate = (AdaptiveAvgPool2d("pool"), ChannelConv("conv", kernel), Sigmoid("gate"))
    return Residual("se", gate, merge=Scale("scale"), title="EfficientChannelAttention")


def shortcut(spec: ResNet, channels: int, out_channels: int, stride: int) -> list[Node]:
    """What stands on the shortcut (He et al. 2015, Sec. 3.3); nothing for an identity.

    A pads with zeros where the shape changes, A-split on both sides of the channels, B projects there, C projects everywhere. The gates
    and the dropout of He et al. 2016 stand on A. ``projection_kernel`` is of projections that stride.
    """
    changes = stride != 1 or channels != out_channels
    if spec.shortcut in ("A", "A-split", *GATES, "dropout"):
        both = spec.shortcut == "A-split"
        padded: list[Node] = (
            [PadShortcut("downsample", out_channels, stride, both)] if changes else []
        )
        return [*padded, Dropout("dropout")] if spec.shortcut == "dropout" else padded
    if not changes and spec.shortcut != "C":
        return []
    if spec.stride_at == "last" and channels == out_channels and spec.shortcut == "B":
        return [MaxPool2d("downsample", 1, stride)]  # Keras' identity where a block strides
    pool: list[Node] = []
    if spec.projection_pool:
        # torchvision's and timm's index 0 is taken by the pool even where it has nothing to do
        pool = [AvgPool2d("0", stride)] if stride != 1 else []
        stride = 1
    index = 1 if spec.projection_pool else 0
    kernel = spec.projection_kernel if stride != 1 else 1
    bias = spec.conv_bias or spec.end_bias
    projection = Conv2d(str(index), channels, out_channels, kernel, stride, kernel // 2, bias=bias)
    after = [norm(spec, str(index + 1), out_channels)] if spec.projection_norm else []
    return [Sequence("downsample", (*pool, projection, *after))]


def merge(spec: ResNet, channels: int) -> Add:
    """How shortcut and body become one: their sum, unless scaled or gated (He et al. 2016, Fig. 2)."""
    if spec.shortcut in GATES:
        return GatedAdd("gate", channels, spec.shortcut == "exclusive-gate")
    if (spec.shortcut_scale, spec.body_scale) != (1, 1):
        return ScaledAdd("add", spec.shortcut_scale, spec.body_scale)
    return ADDITION


def block(
    spec: ResNet, channels: int, width: int, stride: int, activated: bool,
    dilations: tuple[int, int] = (1, 1), made: Callable[..., list[Node]] | None = None,
) -> Residual | Sequence:  # fmt: skip
    """One block of the network, yet without a name: body, shortcut, and where its activations stand.

    ``activated`` says that a norm and activation already stand right before it, as for the first
    block of a pre-activation network (He et al. 2016, appendix). ``dilations`` are those of its first
    and of its further 3×3. ``made`` makes a body that is none of the usual two.
    """
    out_channels = width * EXPANSION[spec.block]
    usual = basic if spec.block == "basic" else bottleneck
    body = (made or usual)(spec, channels, width, stride, dilations)
    first: list[Node] = []
    if spec.preact:
        first, body = activate_first(spec, body, channels)
    if spec.se_reduction:
        if spec.se_activation and not spec.preact:
            body.append(activation(spec, "relu"))
        squeezed = rounded(out_channels // spec.se_reduction, spec.se_multiple)
        body.append(squeeze_excitation(out_channels, squeezed))
    if spec.eca:
        body.append(efficient_channel_attention(out_channels))
    after = () if spec.preact else (activation(spec, "relu"),)
    if activated:
        first = []
    if spec.shortcut == "none":
        return Sequence("", (*first, *body, *after), title=TITLES[spec.block])
    side = shortcut(spec, channels, out_channels, stride)
    joined = merge(spec, out_channels)
    if not side or isinstance(side[0], MaxPool2d):  # others take the activated input
        first, body = [], [*first, *body]
    return Residual("", (*body,), (*side,), (*first,), after, joined, title=TITLES[spec.block])
