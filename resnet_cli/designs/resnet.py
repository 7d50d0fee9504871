"""Residual networks: the spec (one line of the zoo) and how it becomes a tree of layers."""

from __future__ import annotations

from dataclasses import dataclass

from resnet_cli.designs import limits, split_blocks
from resnet_cli.designs.blocks import (
    ACTIVATIONS,
    EXPANSION,
    NORMS,
    SHORTCUTS,
    activation,
    antialiased,
    block,
    norm,
)  # fmt: skip
from resnet_cli.designs.limits import option
from resnet_cli.designs.split_blocks import BODIES, POOLS
from resnet_cli.designs.stochastic_depth import with_stochastic_depth
from resnet_cli.errors import UserError
from resnet_cli.layers.arithmetic import Shape
from resnet_cli.layers.base import Layer
from resnet_cli.layers.convolution import Conv2d, Linear, StdConv2d
from resnet_cli.layers.elementwise import Dropout, ReLU
from resnet_cli.layers.normalisation import BatchNorm2d
from resnet_cli.layers.pooling import (
    HEAD,
    AdaptiveAvgPool2d,
    AttentionPool2d,
    AvgPool2d,
    MaxPool2d,
    ZeroPaddedMaxPool2d,
)
from resnet_cli.layers.shaping import Flatten
from resnet_cli.layers.tree import Node, Sequence, Stage, replaced

STEMS = ("7x7", "3x3", "deep", "tiered")
STEM_POOLS = ("usual", "max", "none", "ceil", "zeros", "conv")
ANTIALIAS = ("none", "average", "blur")
HEADS = ("pool", "attention", "attention-all", "mlp", "none")


@dataclass(frozen=True)
class ResNet:
    """Everything that tells one residual network from another.

    ``output_stride`` is the most that its maps are strided: stages that would stride further have
    convolutions dilated instead (Chen et al. 2017, "Rethinking Atrous Convolution", Sec. 3.2).
    ``stages`` is the number of blocks in each; ``width`` the channels of the first stage's 3×3
    convolutions, doubled in each later one, or those of each are ``widths``. ``base_width`` is torchvision's ``width_per_group``:
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
        "usual: max, none behind a 3×3; max, none, ceil: Caffe's, zeros: Keras' and BiT's, conv: a 3×3 that strides.",
        STEM_POOLS,
        in_tensors=False,
    )
    stride_at: str = option(
        "first",
        "Which block of a stage strides: its first, or its last, but for the last stage's.",
        ("first", "last"),
        in_tensors=False,
    )
    width: int = option(64, "Channels of the first stage.")
    widths: tuple[int, ...] = option(
        (), "Channels of each stage, in place of doubled ones: 48,104,208,440."
    )
    base_width: int = option(64, "Channels a group at width 64.")
    groups: int = option(1, "Groups of the 3×3 (cardinality).")
    reduce_first: int = option(1, "The first 1×1 of a bottleneck is so many times narrower.")
    antialias: str = option(
        "none",
        "average or blur: a 3×3 at stride 1 and a mean, or one weighted 1-2-1, for each that strides.",
        ANTIALIAS,
        in_tensors=False,
    )
    preact: bool = option(False, "Norm and activation before each convolution.")
    preact_stem: bool = option(
        True, "Those of the first block right behind the stem, before its pool."
    )
    preact_twice: bool = option(
        False, "Those of the first block beside the stem's own, which stand before its pool."
    )
    last_norm: bool = option(True, "Norm and activation behind the last pre-activation block.")
    norm: str = option("batch", "batch, group: 32 groups, or frozen: batch norm in buffers.", NORMS)
    weight_standardization: bool = option(
        False, "Convolutions' weights are standardised.", in_tensors=False
    )
    activation: str = option(
        "ReLU", "ReLU or another of torch's: SiLU, GELU.", (*ACTIVATIONS,), in_tensors=False
    )
    se_reduction: int = option(0, "Squeeze-excitation by so much; 0: none.", least=0)
    se_multiple: int = option(1, "Its channels are rounded to a multiple of so many.")
    se_activation: bool = option(
        False, "An activation before each gate, behind the last norm.", in_tensors=False
    )
    eca: bool = option(False, "Efficient channel attention in each block.")
    conv_bias: bool = option(False, "A bias on convolutions.")
    end_bias: bool = option(
        False, "A bias on the stem, projections and the last convolution of each block alone."
    )
    projection_norm: bool = option(True, "A norm after each projection.")
    projection_pool: bool = option(False, "Average-pool before each projection.")
    body: str = option("plain", "plain, or of several parts: res2net, sk, resnest.", (*BODIES,))
    splits: int = option(2, "Res2Net's scale, SKNet's branches, ResNeSt's radix.", most=64)
    split_reduction: int = option(16, "The gate of sk and resnest, by so much, ...")
    split_least: int = option(32, "... and of so many channels at least.")
    split_input: bool = option(False, "A branch of sk takes its part of the channels, not all.")
    split_pool: str = option(
        "none", "Where resnest strides, a mean of 3×3 before or behind.", POOLS, in_tensors=False
    )
    projection_kernel: int = option(1, "1 or 3: of projections that stride.", most=3)
    output_stride: int = option(
        32, "8 or 16: dilated where it would stride further.", least=8, most=32, in_tensors=False
    )
    shortcut_scale: float = option(1.0, "λ of every shortcut.", in_tensors=False)
    body_scale: float = option(1.0, "What every body is multiplied by.", in_tensors=False)
    stochastic_depth: float = option(
        0.0,
        "The last block left out for so much of the inputs, earlier ones less.",
        most=1,
        in_tensors=False,
    )
    dropout: float = option(
        0.0, "Of so much of what the classifier takes; 0: none.", most=1, in_tensors=False
    )
    head: str = option(
        "pool",
        "pool: mean and classifier; attention: CLIP's, or asked by all places; mlp; none: the mean.",
        HEADS,
    )
    num_classes: int = option(1000, "Outputs of the classifier.", most=limits.CLASSES)
    in_channels: int = option(3, "Channels of the input.")
    input_size: tuple[int, int] = option(
        (224, 224), "224, or height×width: 224x320.", in_tensors=False
    )

    def __post_init__(self) -> None:
        limits.check(self)
        limits.number_of_stages(self.stages, (3, 4))
        if self.block == "basic" and (self.groups, self.base_width) != (1, 64):
            raise UserError(
                "a basic block has neither groups nor a base width", "add --block bottleneck"
            )
        if self.widths and len(self.widths) != len(self.stages):
            raise UserError(
                f"{len(self.widths)} widths given for {len(self.stages)} stages",
                "give one for each stage, such as --widths 64,128,256,512",
            )
        for width in self._widths:
            self._check_width(width)
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
        if self.se_reduction and self.eca:
            raise UserError("both squeeze-excitation and ECA given", "choose one of them")
        if self.stride_at == "last" and self.output_stride < 32:
            raise UserError(
                "a dilated network strides in the first block of a stage",
                "leave --stride-at last out",
            )
        if self.head.startswith("attention"):
            self._check_attention()
        if self.output_stride not in (8, 16, 32):
            raise UserError(
                f"no output stride of {self.output_stride}", "it is 32, or 16 or 8 where dilated"
            )
        if self.projection_pool and self.output_stride < 32:
            raise UserError(
                "a dilated network has no pool before its projections, which no longer stride",
                "add --no-projection-pool, or leave --output-stride out",
            )
        self._check_ends()
        split_blocks.check(self)
        if self.norm == "group":
            self._check_groups()

    def _check_ends(self) -> None:
        """Raises `UserError` for a first 1×1, projections or a dropout that cannot be."""
        if self.reduce_first > 1:
            if self.block == "basic":
                raise UserError("a basic block has no first 1×1", "add --block bottleneck")
            for width in self._widths:
                if width * self.base_width // 64 % self.reduce_first:
                    raise UserError(
                        f"groups of {width * self.base_width // 64} channels are not {self.reduce_first} times narrower",
                        "choose a --reduce-first that divides a group's channels",
                    )
        if self.projection_kernel == 2:
            raise UserError("a projection's kernel is odd", "give --projection-kernel 1 or 3")
        if self.projection_kernel > 1 and (self.projection_pool or self.output_stride < 32):
            raise UserError(
                "projections of 3×3 stand in networks that stride there, without a pool or dilation",
                "leave --projection-kernel out",
            )
        if self.dropout >= 1:
            raise UserError(f"a dropout of {self.dropout:g} leaves nothing", "give less than 1")

    def _check_width(self, width: int) -> None:
        """Raises `UserError` for channels of a stage that groups or gates do not divide."""
        if self.widths:
            limits.within("width of a stage", width, limits.CHANNELS)
        if width * self.base_width % 64:
            raise UserError(
                f"groups of {width} × {self.base_width} / 64 channels do not divide evenly",
                "choose --width and --base-width so that width × base width / 64 is whole",
            )
        channels = width * EXPANSION[self.block]
        if self.se_reduction and self.se_multiple == 1 and channels % self.se_reduction:
            raise UserError(
                f"an SE reduction of {self.se_reduction} does not divide {channels} channels",
                "choose a width that the reduction divides, or add --se-multiple 8",
            )

    @property
    def _widths(self) -> tuple[int, ...]:
        """Channels of each stage's 3×3."""
        return self.widths or tuple(self.width * 2**index for index in range(len(self.stages)))

    def _check_groups(self) -> None:
        """Raises `UserError` for channels that group norm's 32 groups do not divide."""
        for channels in (
            *self._widths_of_stem(),
            *self._widths,
            *(
                width * self.base_width // 64 * self.groups // self.reduce_first
                for width in self._widths
            ),
        ):
            if channels % 32:
                raise UserError(
                    f"the 32 groups of group norm do not divide {channels} channels",
                    "choose widths that are multiples of 32, of 64 for a deep stem",
                )

    def _check_attention(self) -> None:
        """Raises `UserError` for channels that are no whole heads, and sides that strides do not divide."""
        channels = self._widths[-1] * EXPANSION[self.block]
        if channels % HEAD:
            raise UserError(
                f"heads of {HEAD} channels do not divide the last stage's {channels}",
                "choose a width that is a multiple of 64, or leave --head out",
            )
        if any(side % 32 for side in self.input_size):
            raise UserError(
                f"an attention pool has a position for each place of {'×'.join(map(str, self.input_size))}",
                "give an --input-size that is a multiple of 32, such as 224",
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
        made = BODIES[self.body]
        for index, blocks in enumerate(self.stages):
            number, width, stride = index + 2, self._widths[index], 2 if index else 1
            late = 2 if self.stride_at == "last" and index < len(self.stages) - 1 else 1
            if self.stride_at == "last":
                stride = late if blocks == 1 else 1
            if stride * reached > self.output_stride:
                stride, dilation = 1, 2 * dilation
            reached *= max(stride, late)
            activated = self.preact and self.preact_stem and not index and not self.preact_twice
            first = block(self, channels, width, stride, activated, (before, dilation), made)
            channels, before = width * EXPANSION[self.block], dilation
            rest = (
                block(self, channels, width, 1, False, (dilation, dilation), made)
                if blocks > 1
                else first
            )
            last = block(self, channels, width, late, False) if late > 1 and blocks > 1 else rest
            stage = [
                (first if not position else last if position == blocks - 1 else rest)._replace(
                    name=str(position), label=f"conv{number}_{position + 1}"
                )
                for position in range(blocks)
            ]
            layers: list[Node] = [Sequence(f"layer{index + 1}", (*stage,))]
            if not index:
                layers = [*pool, *layers]
            if self.preact and self.last_norm and index == len(self.stages) - 1:
                layers += [norm(self, "norm", channels), activation(self, "relu")]
            parts.append(Stage(f"conv{number}_x", (*layers,)))
        parts.append(Stage("fc", (*self._head(channels, reached),), "head"))
        if self.weight_standardization:
            parts = [replaced(part, _standardized) for part in parts]
        net = Sequence("", (*parts,), title="ResNet")
        return with_stochastic_depth(net, self.stochastic_depth)

    def _head(self, channels: int, stride: int) -> list[Node]:
        """What makes classes, or an embedding, of the last map, which is strided so much."""
        if self.head.startswith("attention"):
            height, width = (side // stride for side in self.input_size)
            all_ask = self.head == "attention-all"
            return [
                AttentionPool2d("attnpool", channels, self.num_classes, height * width, all_ask)
            ]
        pool: list[Node] = [AdaptiveAvgPool2d("avgpool")]
        if self.head == "mlp":  # timm's resnet50_mlp
            hidden: list[Node] = [
                BatchNorm2d("norm", channels), Flatten("flatten"),
                Linear("fc", channels, channels // 2), ReLU("relu"),
            ]  # fmt: skip
            pool.append(Sequence("neck", (*hidden,)))
            channels //= 2
        else:
            pool.append(Flatten("flatten"))
        if self.head == "none":
            return pool
        dropout = [Dropout("dropout", rate=self.dropout)] if self.dropout else []
        return [*pool, *dropout, Linear("fc", channels, self.num_classes)]

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
        stride, bias = self._stride_of_stem(), self.conv_bias or self.end_bias
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
        if kind == "zeros":
            return [ZeroPaddedMaxPool2d("maxpool", 3, 2, 1)]
        if kind == "ceil":
            return [MaxPool2d("maxpool", 3, 2, ceil=True)]
        if kind == "conv":
            return [Sequence("maxpool", (*self._strided(),))]
        if self.antialias == "average":
            return [AvgPool2d("maxpool", 2, ceil=False)]
        if self.antialias == "blur":
            _, blur = antialiased(self, self.stem_width, 2, "1")
            return [Sequence("maxpool", (MaxPool2d("0", 3, 1, 1), *blur))]
        return [MaxPool2d("maxpool", 3, 2, 1)]

    def _strided(self) -> list[Node]:
        """ResNet-RS' 3×3 in place of a pool (Bello et al. 2021, as released), at the path that libraries keep for one."""
        width = self.stem_width
        pace, smoothing = antialiased(self, width, 2, "1")
        convolution = Conv2d("0", width, width, 3, pace, 1, bias=self.conv_bias)
        after = len(smoothing) + 1
        return [
            convolution,
            *smoothing,
            norm(self, f"{after}", width),
            activation(self, f"{after + 1}"),
        ]


def _standardized(layer: Layer) -> Layer:
    """A convolution with its weights standardised; any other leaf as it is."""
    return StdConv2d(**vars(layer)) if isinstance(layer, Conv2d) else layer
