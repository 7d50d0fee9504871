"""ConvNeXt (Liu et al. 2022) and ConvNeXt V2 (Woo et al. 2023): the spec and how it becomes a tree of layers."""

from __future__ import annotations

from dataclasses import dataclass

from resnet_cli.designs import limits
from resnet_cli.designs.limits import option
from resnet_cli.designs.stochastic_depth import with_stochastic_depth
from resnet_cli.errors import UserError
from resnet_cli.layers.arithmetic import Shape
from resnet_cli.layers.base import Layer
from resnet_cli.layers.convolution import Conv2d, Linear
from resnet_cli.layers.elementwise import GELU
from resnet_cli.layers.normalisation import GlobalResponseNorm, LayerNorm, LayerNorm2d, LayerScale
from resnet_cli.layers.pooling import AdaptiveAvgPool2d
from resnet_cli.layers.shaping import ChannelsLast, Flatten
from resnet_cli.layers.tree import Node, Residual, Sequence, Stage


@dataclass(frozen=True)
class ConvNeXt:
    """A ConvNeXt: four stages of a depthwise convolution, a norm, and a layer of four times the width between two.

    ``stages`` and ``widths`` are the blocks and channels of each; before all but the first a norm and a
    2×2 of stride 2. V1 scales every block's channels (``layer_scale``), V2 has a global response norm
    behind its GELU (``response_norm``). Without ``conv_mlp`` a block puts channels last between its depthwise
    convolution and its sum. The stem is a 4×4 of stride 4, or with an ``overlap_width`` two 3×3 of stride 2
    (timm's).

    Raises `UserError` for values that describe no network.
    """

    name: str
    family: str
    stages: tuple[int, ...] = option(None, "Blocks in each stage: 3,4,6,3.")
    widths: tuple[int, ...] = option(None, "Channels of each stage: 48,104,208,440.")
    layer_scale: bool = option(True, "A learned factor a channel behind each block (V1).")
    response_norm: bool = option(False, "Global response norm in each block (V2).")
    conv_mlp: bool = option(False, "1×1 convolutions in blocks, not linear layers.")
    kernel: int = option(7, "Side of the depthwise windows.", most=255)
    overlap_width: int = option(0, "Channels between a stem's two 3×3; 0: one 4×4.", least=0)
    head_norm_first: bool = option(False, "The last norm before the pool.")
    head_width: int = option(0, "Channels of a layer before the classifier; 0: none.", least=0)
    norm_eps: float = option(1e-6, "ε of the layer norms.", in_tensors=False)
    stochastic_depth: float = option(
        0.0,
        "The last block left out for so much of the inputs, earlier ones less.",
        most=1,
        in_tensors=False,
    )
    num_classes: int = option(1000, "Outputs of the classifier.", most=limits.CLASSES)
    in_channels: int = option(3, "Channels of the input.")
    input_size: tuple[int, int] = option(
        (224, 224), "224, or height×width: 224x320.", in_tensors=False
    )

    def __post_init__(self) -> None:
        limits.check(self)
        limits.number_of_stages(self.stages, (4,))
        limits.widths_of_stages(self.widths, self.stages)
        if self.kernel % 2 == 0:
            raise UserError(
                f"a depthwise window of {self.kernel}×{self.kernel} has no middle",
                "choose an odd side, such as --kernel 7",
            )

    @property
    def input_shape(self) -> Shape:
        """(channels, height, width) of one input."""
        return (self.in_channels, *self.input_size)

    def net(self) -> Sequence:
        """The network as a tree of layers; torchvision's names, those of V2 as if it had it.

        Layers that only some blocks have leave a gap: without linear layers there is no ``block.1``. The
        paper's stages 1 to 4 are called conv2_x to conv5_x, as they stand beside ResNet's.
        """
        stem = Sequence("features", (Sequence("0", self._stem()),))
        parts: list[Node] = [Stage("conv1", (stem,), "stem")]
        channels = self.widths[0]
        for number, (blocks, width) in enumerate(
            zip(self.stages, self.widths, strict=True), start=1
        ):
            block = self._block(width)
            stage = Sequence(
                f"{2 * number - 1}",
                (
                    *(
                        block._replace(name=str(at), label=f"conv{number + 1}_{at + 1}")
                        for at in range(blocks)
                    ),
                ),
            )
            trunk: list[Node] = [stage]
            if number > 1:
                halved = Conv2d("1", channels, width, 2, 2, bias=True)
                trunk.insert(0, Sequence(f"{2 * number - 2}", (self._norm("0", channels), halved)))
            parts.append(Stage(f"conv{number + 1}_x", (Sequence("features", (*trunk,)),)))
            channels = width
        net = Sequence("", (*parts, Stage("fc", self._head(), "head")), title="ConvNeXt")
        return with_stochastic_depth(net, self.stochastic_depth)

    def _norm(self, name: str, channels: int) -> LayerNorm2d:
        return LayerNorm2d(name, channels, self.norm_eps)

    def _stem(self) -> tuple[Node, ...]:
        first, between = self.widths[0], self.overlap_width
        if not between:
            patches = Conv2d("0", self.in_channels, first, 4, 4, bias=True)
            return (patches, self._norm("1", first))
        return (
            Conv2d("0", self.in_channels, between, 3, 2, 1, bias=True),
            Conv2d("1", between, first, 3, 2, 1, bias=True),
            self._norm("2", first),
        )

    def _block(self, width: int) -> Residual:
        """A block, yet without a name (Liu et al. 2022, Fig. 4; Woo et al. 2023, Fig. 5)."""
        wide = 4 * width
        depthwise = Conv2d(
            "0", width, width, self.kernel, 1, self.kernel // 2, groups=width, bias=True
        )
        response: list[Layer] = []
        if self.response_norm:
            response.append(GlobalResponseNorm("5", wide, not self.conv_mlp))
        last = str(5 + len(response))
        if self.conv_mlp:
            layers: tuple[Node, ...] = (
                self._norm("2", width),
                Conv2d("3", width, wide, 1, bias=True),
                GELU("4"),
                *response,
                Conv2d(last, wide, width, 1, bias=True),
            )
        else:
            layers = (
                ChannelsLast("1"),
                LayerNorm("2", width, self.norm_eps),
                Linear("3", width, wide),
                GELU("4"),
                *response,
                Linear(last, wide, width),
                ChannelsLast(str(6 + len(response)), back=True),
            )
        scale = (LayerScale("layer_scale", width),) if self.layer_scale else ()
        return Residual("", (Sequence("block", (depthwise, *layers)), *scale), title="CNBlock")

    def _head(self) -> tuple[Node, ...]:
        channels = self.widths[-1]
        norm, pool = self._norm("0", channels), AdaptiveAvgPool2d("avgpool")
        layers: list[Node] = [Flatten("1")]
        if self.head_width:
            layers += [Linear("2", channels, self.head_width), GELU("3")]
            channels = self.head_width
        layers.append(Linear(str(len(layers) + 1), channels, self.num_classes))
        if self.head_norm_first:
            named = self._norm("norm", self.widths[-1])
            return (named, pool, Sequence("classifier", (*layers,)))
        return (pool, Sequence("classifier", (norm, *layers)))
