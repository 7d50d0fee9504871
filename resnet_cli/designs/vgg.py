"""VGG (Simonyan & Zisserman 2015, Table 1), the networks that He et al. 2015 compare with."""

from __future__ import annotations

from dataclasses import dataclass

from resnet_cli.designs import limits
from resnet_cli.designs.limits import option
from resnet_cli.layers.arithmetic import Shape
from resnet_cli.layers.convolution import Conv2d, Linear
from resnet_cli.layers.elementwise import Dropout, ReLU
from resnet_cli.layers.normalisation import BatchNorm2d
from resnet_cli.layers.pooling import AdaptiveAvgPool2d, MaxPool2d
from resnet_cli.layers.shaping import Flatten
from resnet_cli.layers.tree import Node, Sequence, Stage


@dataclass(frozen=True)
class VGG:
    """A VGG network: ``stages`` is the number of 3×3 convolutions between two poolings.

    The stages have 1, 2, 4, 8 and 8 times ``width`` channels. Raises `UserError` for values that
    describe no network.
    """

    name: str
    family: str
    stages: tuple[int, ...] = option(None, "Convolutions in each stage: 2,2,3,3,3.")
    batch_norm: bool = option(False, "Batch norm after each convolution.")
    width: int = option(64, "Channels of the first stage.")
    num_classes: int = option(1000, "Outputs of the classifier.", most=limits.CLASSES)
    in_channels: int = option(3, "Channels of the input.")
    input_size: tuple[int, int] = option(
        (224, 224), "224, or height×width: 224x320.", in_tensors=False
    )

    def __post_init__(self) -> None:
        limits.check(self)
        limits.number_of_stages(self.stages, (5,))

    @property
    def input_shape(self) -> Shape:
        """(channels, height, width) of one input."""
        return (self.in_channels, *self.input_size)

    def net(self) -> Sequence:
        """The network as a tree of layers; torchvision's ``features.N`` and ``classifier.N``."""
        index, channels = 0, self.in_channels
        parts: list[Node] = []
        for number, (convolutions, times) in enumerate(
            zip(self.stages, (1, 2, 4, 8, 8), strict=True), start=1
        ):
            stage: list[Node] = []
            for _ in range(convolutions):
                width = self.width * times
                layers: list[Node] = [Conv2d(str(index), channels, width, 3, 1, 1, bias=True)]
                if self.batch_norm:
                    layers.append(BatchNorm2d(str(index + 1), width))
                layers.append(ReLU(str(index + len(layers))))
                index, channels = index + len(layers), width
                stage += layers
            stage.append(MaxPool2d(str(index), 2, 2))
            index += 1
            parts.append(Stage(f"conv{number}_x", (Sequence("features", (*stage,)),)))
        classifier = (
            Linear("0", channels * 7 * 7, 4096),
            ReLU("1"),
            Dropout("2"),
            Linear("3", 4096, 4096),
            ReLU("4"),
            Dropout("5"),
            Linear("6", 4096, self.num_classes),
        )
        head = (
            AdaptiveAvgPool2d("avgpool", 7),
            Flatten("flatten"),
            Sequence("classifier", classifier),
        )
        return Sequence("", (*parts, Stage("fc", head, "head")), title="VGG")
