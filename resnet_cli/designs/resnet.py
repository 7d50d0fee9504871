"""Residual networks: the spec (one line of the zoo) and how it becomes a tree of layers."""

from __future__ import annotations

from dataclasses import dataclass

from resnet_cli.designs import limits
from resnet_cli.designs.blocks import EXPANSION, GATES, block
from resnet_cli.errors import UserError
from resnet_cli.layers.leaves import (
    AdaptiveAvgPool2d,
    BatchNorm2d,
    Conv2d,
    Flatten,
    Linear,
    MaxPool2d,
    Node,
    ReLU,
    Sequence,
    Shape,
    Stage,
)

SHORTCUTS = ("A", "B", "C", "none", *GATES, "dropout")


@dataclass(frozen=True)
class ResNet:
    """Everything that tells one residual network from another.

    ``stages`` is the number of blocks in each; ``width`` the channels of the first stage's 3×3
    convolutions, doubled in each later one. ``base_width`` is torchvision's ``width_per_group``:
    the 3×3 of a bottleneck has width · base_width / 64 · groups channels. ``shortcut_scale`` and
    ``body_scale`` are λ and its counterpart where the two meet (He et al. 2016, Table 1).

    Raises `UserError` for values that describe no network.
    """

    name: str
    family: str
    block: str
    stages: tuple[int, ...]
    shortcut: str = "B"
    style: str = "v1"
    stem: str = "7x7"
    stem_width: int = 64
    width: int = 64
    base_width: int = 64
    groups: int = 1
    preact: bool = False
    se_reduction: int = 0
    conv_bias: bool = False
    projection_norm: bool = True
    projection_pool: bool = False
    shortcut_scale: float = 1.0
    body_scale: float = 1.0
    num_classes: int = 1000
    in_channels: int = 3
    input_size: tuple[int, int] = (224, 224)

    def __post_init__(self) -> None:
        limits.check_common(self)
        limits.one_of("block", self.block, ("basic", "bottleneck"))
        limits.one_of("shortcut", self.shortcut, SHORTCUTS)
        limits.factor("shortcut scale", self.shortcut_scale)
        limits.factor("body scale", self.body_scale)
        limits.one_of("style", self.style, ("v1", "v1.5"))
        limits.one_of("stem", self.stem, ("7x7", "3x3", "deep"))
        limits.number_of_stages(self.stages, (4,) if self.stem != "3x3" else (3, 4))
        limits.within("base width", self.base_width, limits.CHANNELS)
        limits.within("groups", self.groups, limits.CHANNELS)
        limits.within("stem width", self.stem_width, limits.CHANNELS)
        limits.within("SE reduction", self.se_reduction, limits.CHANNELS, least=0)
        if self.block == "basic" and (self.groups, self.base_width) != (1, 64):
            raise UserError(
                "a basic block has neither groups nor a base width", "add --block bottleneck"
            )
        if self.width * self.base_width % 64:
            raise UserError(
                f"groups of {self.width} × {self.base_width} / 64 channels do not divide evenly",
                "choose --width and --base-width so that width × base width / 64 is whole",
            )
        if self.stem == "deep" and self.stem_width % 2:
            raise UserError(
                f"a deep stem halves its width, and {self.stem_width} is odd",
                "choose an even stem width, such as 64",
            )
        if self.se_reduction and self.width * EXPANSION[self.block] % self.se_reduction:
            raise UserError(
                f"an SE reduction of {self.se_reduction} does not divide "
                f"{self.width * EXPANSION[self.block]} channels",
                "choose a width that the reduction divides",
            )

    @property
    def input_shape(self) -> Shape:
        """(channels, height, width) of one input."""
        return (self.in_channels, *self.input_size)

    def net(self) -> Sequence:
        """The network as a tree of layers; stages are named conv1, conv2_x, ... as in Table 1."""
        parts: list[Node] = [Stage("conv1", (*self._stem(),))]
        channels = self.stem_width
        for index, blocks in enumerate(self.stages):
            number = index + 2
            width = self.width * 2**index
            stage = []
            for position in range(blocks):
                stride = 2 if index and not position else 1
                activated = self.preact and index == position == 0
                label = f"conv{number}_{position + 1}"
                stage.append(block(self, str(position), label, channels, width, stride, activated))
                channels = width * EXPANSION[self.block]
            layers: list[Node] = [Sequence(f"layer{index + 1}", (*stage,))]
            if not index and self.stem != "3x3":
                layers.insert(0, MaxPool2d("maxpool", 3, 2, 1))
            if self.preact and index == len(self.stages) - 1:
                layers += [BatchNorm2d("norm", channels), ReLU("relu")]
            parts.append(Stage(f"conv{number}_x", (*layers,)))
        head = (
            AdaptiveAvgPool2d("avgpool"),
            Flatten("flatten"),
            Linear("fc", channels, self.num_classes),
        )
        return Sequence("", (*parts, Stage("fc", head)))

    def _stem(self) -> list[Node]:
        width, bias = self.stem_width, self.conv_bias
        convolution: Node
        if self.stem == "7x7":
            convolution = Conv2d("conv1", self.in_channels, width, 7, 2, 3, bias=bias)
        elif self.stem == "3x3":
            convolution = Conv2d("conv1", self.in_channels, width, 3, 1, 1, bias=bias)
        else:  # ResNet-C's three 3×3 (He et al. 2019, "Bag of Tricks", Fig. 2b)
            half = width // 2
            convolution = Sequence(
                "conv1",
                (
                    Conv2d("0", self.in_channels, half, 3, 2, 1, bias=bias),
                    BatchNorm2d("1", half),
                    ReLU("2"),
                    Conv2d("3", half, half, 3, 1, 1, bias=bias),
                    BatchNorm2d("4", half),
                    ReLU("5"),
                    Conv2d("6", half, width, 3, 1, 1, bias=bias),
                ),
            )
        return [convolution, BatchNorm2d("bn1", width), ReLU("relu")]
