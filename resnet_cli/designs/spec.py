"""What a network is described by: one class for each design."""

from __future__ import annotations

from typing import TypeAlias

from resnet_cli.designs.convnext import ConvNeXt
from resnet_cli.designs.iresnet import IResNet
from resnet_cli.designs.regnet import RegNet
from resnet_cli.designs.resnet import ResNet
from resnet_cli.designs.vgg import VGG

Spec: TypeAlias = ResNet | RegNet | ConvNeXt | IResNet | VGG
DESIGNS: tuple[type[Spec], ...] = (ResNet, RegNet, ConvNeXt, IResNet, VGG)
