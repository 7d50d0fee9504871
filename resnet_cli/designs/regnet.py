"""RegNetX and RegNetY (Radosavovic et al. 2020): the spec and how it becomes a tree of layers."""

from __future__ import annotations

from dataclasses import dataclass

from resnet_cli.designs import limits
from resnet_cli.designs.blocks import ACTIVATIONS, squeeze_excitation
from resnet_cli.designs.limits import option
from resnet_cli.designs.stochastic_depth import with_stochastic_depth
from resnet_cli.errors import UserError
from resnet_cli.layers.arithmetic import Shape
from resnet_cli.layers.base import Layer
from resnet_cli.layers.convolution import Conv2d, Linear
from resnet_cli.layers.normalisation import BatchNorm2d
from resnet_cli.layers.pooling import AdaptiveAvgPool2d, AvgPool2d
from resnet_cli.layers.shaping import Flatten
from resnet_cli.layers.tree import Node, Residual, Sequence, Stage


@dataclass(frozen=True)
class RegNet:
    """A RegNet: four stages of X blocks, 1×1, 3×3 in groups, 1×1, each of one width.

    ``stages`` and ``widths`` are the blocks and channels of each; groups are ``group_width`` channels
    wide, one where the stage is narrower. Y blocks have a squeeze-excitation behind the 3×3, whose
    squeeze is the block's input channels by ``se_reduction``, rounded. With ``preact`` norm and activation stand
    before each convolution, shortcuts begin behind the first of them, and the last map has no norm (timm's V).

    Raises `UserError` for values that describe no network.
    """

    name: str
    family: str
    stages: tuple[int, ...] = option(None, "Blocks in each stage: 3,4,6,3.")
    widths: tuple[int, ...] = option(None, "Channels of each stage: 48,104,208,440.")
    group_width: int = option(None, "Channels of a group of the 3×3.")
    se_reduction: int = option(0, "Squeeze-excitation by so much; 0: none.", least=0)
    stem_width: int = option(32, "Channels of the stem.")
    preact: bool = option(False, "Norm and activation before each convolution.")
    projection_pool: bool = option(False, "Average-pool before each projection.")
    activation: str = option(
        "ReLU", "ReLU or another of torch's: SiLU, GELU.", (*ACTIVATIONS,), in_tensors=False
    )
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
        for width in self.widths:
            if width % self.group_width and width > self.group_width:
                raise UserError(
                    f"groups of {self.group_width} channels do not divide {width} channels",
                    "choose widths that are multiples of the group width",
                )

    @property
    def input_shape(self) -> Shape:
        """(channels, height, width) of one input."""
        return (self.in_channels, *self.input_size)

    def net(self) -> Sequence:
        """The network as a tree of layers; torchvision's names but for a block's, which is its number.

        The paper's stages 1 to 4 are called conv2_x to conv5_x, as they stand beside ResNet's.
        """
        stem = Sequence(
            "stem", self._convolution(self.in_channels, self.stem_width, 3, 2, first=True)
        )
        parts: list[Node] = [Stage("conv1", (stem,), "stem")]
        channels = self.stem_width
        for number, (blocks, width) in enumerate(
            zip(self.stages, self.widths, strict=True), start=1
        ):
            first = self._block(channels, width, 2)
            rest = self._block(width, width, 1) if blocks > 1 else first
            stage = [
                (rest if position else first)._replace(
                    name=str(position), label=f"conv{number + 1}_{position + 1}"
                )
                for position in range(blocks)
            ]
            trunk = Sequence(
                "trunk_output", (Sequence(f"block{number}", (*stage,)),), title="Trunk"
            )
            parts.append(Stage(f"conv{number + 1}_x", (trunk,)))
            channels = width
        head = (
            *([self._activation("activation")] if self.preact else []),
            AdaptiveAvgPool2d("avgpool"),
            Flatten("flatten"),
            Linear("fc", channels, self.num_classes),
        )
        net = Sequence("", (*parts, Stage("fc", head, "head")), title="RegNet")
        return with_stochastic_depth(net, self.stochastic_depth)

    def _block(self, channels: int, width: int, stride: int) -> Residual:
        """An X or Y block, yet without a name (Radosavovic et al. 2020, Fig. 4 and Sec. 5)."""
        groups = width // min(self.group_width, width)
        one = self._convolution(channels, width, 1, first=True)
        several = self._convolution(width, width, 3, stride, groups)
        last = self._convolution(width, width, 1)
        activation = self._activation("activation")
        before: tuple[Node, ...] = ()
        after: tuple[Node, ...] = (activation,)
        if self.preact:
            before, after = (BatchNorm2d("norm", channels), activation), ()
        else:
            last = last[:2]
        body: list[Node] = [Sequence("a", one), Sequence("b", several)]
        if self.se_reduction:
            squeezed = max(1, round(channels / self.se_reduction))
            body.append(squeeze_excitation(width, squeezed, self._activation("relu")))
        body.append(Sequence("c", last))
        changes = stride != 1 or channels != width
        shortcut = (self._projection(channels, width, stride),) if changes else ()
        title = "YBlock" if self.se_reduction else "XBlock"
        f = Sequence("f", (*body,), title="Transform")
        return Residual("", (f,), shortcut, before, after, title=title)

    def _convolution(
        self,
        channels: int,
        width: int,
        kernel: int,
        stride: int = 1,
        groups: int = 1,
        first: bool = False,
    ) -> tuple[Node, ...]:
        """A convolution that keeps the map's size but for its stride, with its norm and activation.

        With ``preact`` these stand before it; of the ``first`` one the block has them itself.
        """
        before = self.preact and not first
        convolution = Conv2d(
            "2" if before else "0", channels, width, kernel, stride, kernel // 2, groups
        )
        if before:
            return (BatchNorm2d("0", channels), self._activation("1"), convolution)
        if self.preact:
            return (convolution,)
        return (convolution, BatchNorm2d("1", width), self._activation("2"))

    def _projection(self, channels: int, width: int, stride: int) -> Sequence:
        if not self.projection_pool:
            layers = self._convolution(channels, width, 1, stride, first=True)[:2]
            return Sequence("proj", layers)
        pool = [AvgPool2d("0", stride, ceil=False)] if stride > 1 else []
        norm = [] if self.preact else [BatchNorm2d("2", width)]
        return Sequence("proj", (*pool, Conv2d("1", channels, width, 1), *norm))

    def _activation(self, name: str) -> Layer:
        return ACTIVATIONS[self.activation](name)
