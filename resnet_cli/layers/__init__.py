"""The leaves of a network, a file a family, and the ways of putting them together."""

from resnet_cli.layers.arithmetic import Factor, Product, Shape, Step
from resnet_cli.layers.base import Kept, Layer, Module, Saves
from resnet_cli.layers.convolution import ChannelConv, Conv2d, Linear
from resnet_cli.layers.elementwise import Dropout, ReLU, Sigmoid, SiLU
from resnet_cli.layers.merging import ADDITION, Add, GatedAdd, Scale, ScaledAdd
from resnet_cli.layers.normalisation import BatchNorm2d, GroupNorm
from resnet_cli.layers.pooling import AdaptiveAvgPool2d, AvgPool2d, MaxPool2d
from resnet_cli.layers.reach import Reach
from resnet_cli.layers.shaping import Flatten, PadShortcut
from resnet_cli.layers.tree import Node, Residual, Sequence, Stage, children
from resnet_cli.layers.uncounted import Uncounted

__all__ = [
    "ADDITION", "AdaptiveAvgPool2d", "Add", "AvgPool2d", "BatchNorm2d", "ChannelConv", "Conv2d",
    "Dropout", "Factor", "Flatten", "GatedAdd", "GroupNorm", "Kept", "Layer", "Linear", "MaxPool2d",
    "Module", "Node", "PadShortcut", "Product", "ReLU", "Reach", "Residual", "Saves", "Scale",
    "ScaledAdd", "Sequence", "Shape", "SiLU", "Sigmoid", "Stage", "Step", "Uncounted", "children",
]  # fmt: skip
