"""ResNet-18 and ResNet-50 (v1 and v1.5) written by hand in plain PyTorch: a second opinion."""

import torch
from torch import nn
from torch.nn.functional import relu


def conv_bn(channels, out, kernel, stride=1):
    return (
        nn.Conv2d(channels, out, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(out),
    )


class Basic(nn.Module):
    """3×3 and 3×3, around them an identity or a 1×1 projection."""

    def __init__(self, channels, width, stride):
        super().__init__()
        self.conv1, self.bn1 = conv_bn(channels, width, 3, stride)
        self.conv2, self.bn2 = conv_bn(width, width, 3)
        if stride > 1 or channels != width:
            self.downsample = nn.Sequential(*conv_bn(channels, width, 1, stride))

    def forward(self, x):
        y = self.bn2(self.conv2(relu(self.bn1(self.conv1(x)))))
        return relu(y + (self.downsample(x) if hasattr(self, "downsample") else x))


class Bottleneck(nn.Module):
    """1×1, 3×3, 1×1; the stride is in the first (v1) or in the second (v1.5)."""

    def __init__(self, channels, width, stride, v15):
        super().__init__()
        first, second = (1, stride) if v15 else (stride, 1)
        self.conv1, self.bn1 = conv_bn(channels, width, 1, first)
        self.conv2, self.bn2 = conv_bn(width, width, 3, second)
        self.conv3, self.bn3 = conv_bn(width, 4 * width, 1)
        if stride > 1 or channels != 4 * width:
            self.downsample = nn.Sequential(*conv_bn(channels, 4 * width, 1, stride))

    def forward(self, x):
        y = relu(self.bn1(self.conv1(x)))
        y = self.bn3(self.conv3(relu(self.bn2(self.conv2(y)))))
        return relu(y + (self.downsample(x) if hasattr(self, "downsample") else x))


class Reference(nn.Module):
    """The stem, four stages given as lists of blocks, mean and classifier."""

    def __init__(self, stages, features):
        super().__init__()
        self.conv1, self.bn1 = conv_bn(3, 64, 7, 2)
        self.layer1, self.layer2, self.layer3, self.layer4 = (nn.Sequential(*s) for s in stages)
        self.fc = nn.Linear(features, 1000)

    def forward(self, x):
        x = nn.functional.max_pool2d(relu(self.bn1(self.conv1(x))), 3, 2, 1)
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = stage(x)
        return self.fc(torch.mean(x, (2, 3)))


def resnet18():
    return Reference(
        [
            [Basic(64, 64, 1), Basic(64, 64, 1)],
            [Basic(64, 128, 2), Basic(128, 128, 1)],
            [Basic(128, 256, 2), Basic(256, 256, 1)],
            [Basic(256, 512, 2), Basic(512, 512, 1)],
        ],
        512,
    )


def resnet50(v15):
    def stage(channels, width, stride, blocks):
        first = Bottleneck(channels, width, stride, v15)
        return [first, *(Bottleneck(4 * width, width, 1, v15) for _ in range(blocks - 1))]

    return Reference(
        [stage(64, 64, 1, 3), stage(256, 128, 2, 4), stage(512, 256, 2, 6), stage(1024, 512, 2, 3)],
        2048,
    )
