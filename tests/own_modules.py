"""Modules of somebody's own, small, with what a ResNet has not; a MODEL is tests/own_modules.py:Net."""

import torch
from torch import nn


class Block(nn.Module):
    """A residual block whose names are none of torchvision's."""

    def __init__(self, width):
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(width)
        self.second = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.last = nn.BatchNorm2d(width)

    def forward(self, x):
        return torch.relu(x + self.last(self.second(torch.relu(self.norm(self.first(x))))))


class Net(nn.Module):
    """Convolutions, two residual blocks, a linear layer."""

    def __init__(self, width=8, classes=10):
        super().__init__()
        self.stem = nn.Conv2d(3, width, 3, stride=2, padding=1)
        self.blocks = nn.Sequential(Block(width), Block(width))
        self.fc = nn.Linear(width, classes)

    def forward(self, x):
        return self.fc(self.blocks(self.stem(x)).mean((2, 3)))


class Words(nn.Module):
    """Attention whose output projection is never called, an LSTM, an embedding tied to the last layer."""

    def __init__(self, width=16):
        super().__init__()
        self.table = nn.Embedding(50, width)
        layer = nn.TransformerEncoderLayer(width, 4, 32, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2)
        self.lstm = nn.LSTM(width, width // 2, bidirectional=True, batch_first=True)
        self.out = nn.Linear(width, 50, bias=False)
        self.out.weight = self.table.weight

    def forward(self, tokens):
        return self.out(self.lstm(self.encoder(self.table(tokens)))[0])


class Up(nn.Module):
    """Depthwise, transposed, dilated and 1-d convolutions, a padding by word, a GELU."""

    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(3, 8, 3, 2, 1)
        self.depthwise = nn.Conv2d(8, 8, 5, padding=2, groups=8)
        self.norm = nn.GroupNorm(2, 8)
        self.act = nn.GELU()
        self.up = nn.ConvTranspose2d(8, 4, 4, stride=2, padding=1)
        self.same = nn.Conv2d(4, 4, 3, padding="same", dilation=2)
        self.line = nn.Conv1d(4, 4, 3)

    def forward(self, x):
        x = self.up(self.act(self.norm(self.depthwise(self.down(x)))))
        return self.line(self.same(x).flatten(2))


class Plain(nn.Sequential):
    """Modules of torch.nn alone."""

    def __init__(self):
        super().__init__(
            nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(8, 16, 3, padding=1, groups=4), nn.BatchNorm2d(16), nn.ReLU(),
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10),
        )  # fmt: skip


class Functional(nn.Module):
    """Functions where others have modules."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.fc = nn.Linear(8, 4)

    def forward(self, x):
        x = nn.functional.relu(torch.relu(self.norm(self.conv(x))))
        return self.fc(nn.functional.adaptive_avg_pool2d(x, 1).flatten(1))


class Conv(nn.Conv2d):
    """A convolution of a class of one's own."""


class Derived(nn.Sequential):
    """One convolution of a class that no tool knows, then torch's own modules."""

    def __init__(self):
        super().__init__(
            Conv(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(1),
            nn.Flatten(), nn.Linear(8, 4),
        )  # fmt: skip
