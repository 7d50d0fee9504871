"""iResNet, which embeds faces (Deng et al. 2019, "ArcFace", Sec. 3.1): the spec and how it becomes a tree of layers."""

from __future__ import annotations

from dataclasses import dataclass

from resnet_cli.designs import limits
from resnet_cli.designs.limits import option
from resnet_cli.layers.arithmetic import Shape
from resnet_cli.layers.convolution import Conv2d, Linear
from resnet_cli.layers.elementwise import Dropout, PReLU
from resnet_cli.layers.normalisation import BatchNorm1d, BatchNorm2d
from resnet_cli.layers.shaping import Flatten
from resnet_cli.layers.tree import Node, Residual, Sequence, Stage


@dataclass(frozen=True)
class IResNet:
    """An iResNet as insightface builds it: blocks of norm, 3×3, norm, PReLU, 3×3 with the stride, norm.

    ``stages`` is the number of blocks in each, of ``width`` channels in the first, doubled in each later
    one; all of them stride. The embedding is made of every place of the last map, so its weights depend on
    the input's size; its last norm's gain stays 1.

    Raises `UserError` for values that describe no network.
    """

    name: str
    family: str
    stages: tuple[int, ...] = option(None, "Blocks in each stage: 3,4,14,3.")
    width: int = option(64, "Channels of the first stage.")
    num_classes: int = option(512, "Numbers of the embedding.", most=limits.CLASSES)
    in_channels: int = option(3, "Channels of the input.")
    input_size: tuple[int, int] = option(
        (112, 112), "112, or height×width: 112x96.", in_tensors=False
    )

    def __post_init__(self) -> None:
        limits.check(self)
        limits.number_of_stages(self.stages, (4,))

    @property
    def input_shape(self) -> Shape:
        """(channels, height, width) of one input."""
        return (self.in_channels, *self.input_size)

    def net(self) -> Sequence:
        """The network as a tree of layers, with insightface's names."""
        stem = (
            Conv2d("conv1", self.in_channels, self.width, 3, 1, 1),
            BatchNorm2d("bn1", self.width),
            PReLU("prelu", self.width),
        )
        parts: list[Node] = [Stage("conv1", stem, "stem")]
        channels = self.width
        for index, blocks in enumerate(self.stages):
            width = self.width * 2**index
            first = _block(channels, width, 2)
            rest = _block(width, width, 1) if blocks > 1 else first
            stage = [
                (rest if position else first)._replace(
                    name=str(position), label=f"conv{index + 2}_{position + 1}"
                )
                for position in range(blocks)
            ]
            layers: list[Node] = [Sequence(f"layer{index + 1}", (*stage,))]
            channels = width
            if index == len(self.stages) - 1:
                layers.append(BatchNorm2d("bn2", channels))
            parts.append(Stage(f"conv{index + 2}_x", (*layers,)))
        height, across = (-(-side // 2 ** len(self.stages)) for side in self.input_size)
        head = (
            Dropout("dropout", inplace=True),
            Flatten("flatten"),
            Linear("fc", channels * height * across, self.num_classes),
            BatchNorm1d("features", self.num_classes),
        )
        return Sequence("", (*parts, Stage("fc", head, "head")), title="IResNet")


def _block(channels: int, width: int, stride: int) -> Residual:
    """A block, yet without a name (Deng et al. 2019; Han et al. 2017, "Deep Pyramidal Residual Networks", Fig. 6d)."""
    body = (
        BatchNorm2d("bn1", channels),
        Conv2d("conv1", channels, width, 3, 1, 1),
        BatchNorm2d("bn2", width),
        PReLU("prelu", width),
        Conv2d("conv2", width, width, 3, stride, 1),
        BatchNorm2d("bn3", width),
    )
    changes = stride != 1 or channels != width
    projection = (Conv2d("0", channels, width, 1, stride), BatchNorm2d("1", width))
    shortcut = (Sequence("downsample", projection),) if changes else ()
    return Residual("", body, shortcut, title="IBasicBlock")
