"""Residual networks: the spec (one line of the zoo) and how it becomes a tree of layers."""

from __future__ import annotations

from dataclasses import dataclass

from resnet_cli.designs import limits
from resnet_cli.designs.blocks import (
    ACTIVATIONS,
    EXPANSION,
    NORMS,
    SHORTCUTS,
    activation,
    block,
    norm,
)  # fmt: skip
from resnet_cli.designs.limits import option
from resnet_cli.errors import UserError
from resnet_cli.layers.arithmetic import Shape
from resnet_cli.layers.convolution import Conv2d, Linear
from resnet_cli.layers.pooling import AdaptiveAvgPool2d, AvgPool2d, MaxPool2d
from resnet_cli.layers.shaping import Flatten
from resnet_cli.layers.tree import Node, Sequence, Stage

STEMS = ("7x7", "3x3", "deep", "tiered")
STEM_POOLS = ("usual", "max", "none", "ceil")
ANTIALIAS = ("none", "average")


@dataclass(frozen=True)
class ResNet:
    """Everything that tells one residual network from another.

    ``output_stride`` is the most that its maps are strided: stages that would stride further have
    convolutions dilated instead (Chen et al. 2017, "Rethinking Atrous Convolution", Sec. 3.2).
    ``stages`` is the number of blocks in each; ``width`` the channels of the first stage's 3×3
    convolutions, doubled in each later one. ``base_width`` is torchvision's ``width_per_group``:
    the 3×3 of a bottleneck has width · base_width / 64 · groups channels. ``shortcut_scale`` and
    ``body_scale`` are λ and its counterpart where the two meet (He et al. 2016, Table 1).

    Raises `UserError` for values that describe no network.
    """

    name: str
    family: str
    block: str = option(None, "basic or bottleneck.", ("basic", "bottleneck"))
    stages: tuple[int, ...] = option(None, "Blocks in each stage: 3,4,6,3.")
    shortcut: str = option(
        "B", "A, A-split, B, C or none; gate, exclusive-gate, dropout.", SHORTCUTS
    )
    style: str = option(
        "v1", "v1: stride in the first 1×1; v1.5: in the 3×3.", ("v1", "v1.5"), in_tensors=False
    )
    stem: str = option(
        "7x7", "7x7, 3x3, deep: three 3×3, or tiered: of 3/8, 1/2 and all channels.", STEMS
    )
    stem_width: int = option(64, "Channels of the stem.")
    stem_stride: int = option(
        0, "Of its first convolution; 0: 1 for 3x3, else 2.", least=0, most=2, in_tensors=False
    )
    stem_pool: str = option(
        "usual",
        "usual: max, none behind a 3×3; max, none, ceil: Caffe's.",
        STEM_POOLS,
        in_tensors=False,
    )
    width: int = option(64, "Channels of the first stage.")
    base_width: int = option(64, "Channels a group at width 64.")
    groups: int = option(1, "Groups of the 3×3 (cardinality).")
    antialias: str = option(
        "none",
        "average: a 3×3 at stride 1 and a mean for each that strides.",
        ANTIALIAS,
        in_tensors=False,
    )
    preact: bool = option(False, "Norm and activation before each convolution.")
    preact_stem: bool = option(
        True, "Those of the first block right behind the stem, before its pool."
    )
    norm: str = option("batch", "batch, or group: 32 groups.", NORMS)
    activation: str = option("ReLU", "ReLU or SiLU.", (*ACTIVATIONS,), in_tensors=False)
    se_reduction: int = option(0, "Squeeze-excitation by so much; 0: none.", least=0)
    se_multiple: int = option(1, "Its channels are rounded to a multiple of so many.")
    eca: bool = option(False, "Efficient channel attention in each block.")
    conv_bias: bool = option(False, "A bias on convolutions.")
    projection_norm: bool = option(True, "A norm after each projection.")
    projection_pool: bool = option(False, "Average-pool before each projection.")
    output_stride: int = option(
        32, "8 or 16: dilated where it would stride further.", least=8, most=32, in_tensors=False
    )
    shortcut_scale: float = option(1.0, "λ of every shortcut.", in_tensors=False)
    body_scale: float = option(1.0, "What every body is multiplied by.", in_tensors=False)
    num_classes: int = option(1000, "Outputs of the classifier.", most=limits.CLASSES)
    in_channels: int = option(3, "Channels of the input.")
    input_size: tuple[int, int] = option(
        (224, 224), "224, or height×width: 224x320.", in_tensors=False
    )

    def __post_init__(self) -> None:
        limits.check(self)
        limits.number_of_stages(self.stages, (4,) if self.stem != "3x3" else (3, 4))
        if self.block == "basic" and (self.groups, self.base_width) != (1, 64):
            raise UserError(
                "a basic block has neither groups nor a base width", "add --block bottleneck"
            )
        if self.width * self.base_width % 64:
            raise UserError(
                f"groups of {self.width} × {self.base_width} / 64 channels do not divide evenly",
                "choose --width and --base-width so that width × base width / 64 is whole",
            )
        parts = {"deep": 2, "tiered": 8}.get(self.stem, 1)
        if self.stem_width % parts:
            raise UserError(
                f"a {self.stem} stem divides its width by {parts}, and {self.stem_width} is no multiple of it",
                f"choose a stem width that {parts} divides, such as 64",
            )
        if self.antialias != "none" and (self.output_stride < 32 or self.preact):
            raise UserError(
                "an antialiased network is neither dilated nor of pre-activation",
                "leave --antialias out",
            )
        if (
            self.se_reduction
            and self.se_multiple == 1
            and self.width * EXPANSION[self.block] % self.se_reduction
        ):
            raise UserError(
                f"an SE reduction of {self.se_reduction} does not divide "
                f"{self.width * EXPANSION[self.block]} channels",
                "choose a width that the reduction divides, or add --se-multiple 8",
            )
        if self.se_reduction and self.eca:
            raise UserError("both squeeze-excitation and ECA given", "choose one of them")
        if self.output_stride not in (8, 16, 32):
            raise UserError(
                f"no output stride of {self.output_stride}", "it is 32, or 16 or 8 where dilated"
            )
        if self.projection_pool and self.output_stride < 32:
            raise UserError(
                "a dilated network has no pool before its projections, which no longer stride",
                "add --no-projection-pool, or leave --output-stride out",
            )
        if self.norm == "group":
            self._check_groups()

    def _check_groups(self) -> None:
        """Raises `UserError` for channels that group norm's 32 groups do not divide."""
        for channels in (
            *self._widths_of_stem(),
            self.width,
            self.width * self.base_width // 64 * self.groups,
        ):
            if channels % 32:
                raise UserError(
                    f"the 32 groups of group norm do not divide {channels} channels",
                    "choose widths that are multiples of 32, of 64 for a deep stem",
                )

    @property
    def input_shape(self) -> Shape:
        """(channels, height, width) of one input."""
        return (self.in_channels, *self.input_size)

    def net(self) -> Sequence:
        """The network as a tree of layers; stages are named conv1, conv2_x, ... as in Table 1."""
        parts: list[Node] = [Stage("conv1", (*self._stem(),), "stem")]
        channels = self.stem_width
        pool = self._stem_pool()
        reached = self._stride_of_stem() * (2 if pool else 1)
        before = dilation = 1
        for index, blocks in enumerate(self.stages):
            number, width, stride = index + 2, self.width * 2**index, 2 if index else 1
            if stride * reached > self.output_stride:
                stride, dilation = 1, 2 * dilation
            reached *= stride
            activated = self.preact and self.preact_stem and not index
            first = block(self, channels, width, stride, activated, (before, dilation))
            channels, before = width * EXPANSION[self.block], dilation
            rest = (
                block(self, channels, width, 1, False, (dilation, dilation))
                if blocks > 1
                else first
            )
            stage = [
                (rest if position else first)._replace(
                    name=str(position), label=f"conv{number}_{position + 1}"
                )
                for position in range(blocks)
            ]
            layers: list[Node] = [Sequence(f"layer{index + 1}", (*stage,))]
            if not index:
                layers = [*pool, *layers]
            if self.preact and index == len(self.stages) - 1:
                layers += [norm(self, "norm", channels), activation(self, "relu")]
            parts.append(Stage(f"conv{number}_x", (*layers,)))
        head = (
            AdaptiveAvgPool2d("avgpool"),
            Flatten("flatten"),
            Linear("fc", channels, self.num_classes),
        )
        return Sequence("", (*parts, Stage("fc", head, "head")), title="ResNet")

    def _stride_of_stem(self) -> int:
        return self.stem_stride or (1 if self.stem == "3x3" else 2)

    def _widths_of_stem(self) -> tuple[int, ...]:
        """The channels of its convolutions."""
        width = self.stem_width
        return {
            "deep": (width // 2, width // 2, width),
            "tiered": (width * 3 // 8, width // 2, width),
        }.get(self.stem, (width,))

    def _stem(self) -> list[Node]:
        """One convolution, or ResNet-C's three 3×3 (He et al. 2019, "Bag of Tricks", Fig. 2b), timm's tiered."""
        *inner, width = self._widths_of_stem()
        stride, bias = self._stride_of_stem(), self.conv_bias
        convolution: Node
        if not inner:
            kernel = 7 if self.stem == "7x7" else 3
            convolution = Conv2d(
                "conv1", self.in_channels, width, kernel, stride, kernel // 2, bias=bias
            )
        else:
            first, second = inner
            convolution = Sequence(
                "conv1",
                (
                    Conv2d("0", self.in_channels, first, 3, stride, 1, bias=bias),
                    norm(self, "1", first),
                    activation(self, "2"),
                    Conv2d("3", first, second, 3, 1, 1, bias=bias),
                    norm(self, "4", second),
                    activation(self, "5"),
                    Conv2d("6", second, width, 3, 1, 1, bias=bias),
                ),
            )
        if self.preact and not self.preact_stem:
            return [convolution]
        return [convolution, norm(self, "bn1", width), activation(self, "relu")]

    def _stem_pool(self) -> list[Node]:
        """What stands between stem and blocks; nothing where the stem is a 3×3, unless it is asked for."""
        kind = self.stem_pool
        if kind == "none" or (kind == "usual" and self.stem == "3x3"):
            return []
        if kind == "ceil":
            return [MaxPool2d("maxpool", 3, 2, ceil=True)]
        return (
            [AvgPool2d("maxpool", 2, ceil=False)]
            if self.antialias == "average"
            else [MaxPool2d("maxpool", 3, 2, 1)]
        )
