"""Norms: a mean and a deviation taken off, a learned scale and shift put on, a channel each."""

from __future__ import annotations

from resnet_cli.layers.arithmetic import Factor, Product, Shape
from resnet_cli.layers.base import Fresh, Kept, Module, SameShape, Saves, elements

FOR_STATISTICS = "its gradients are made of it, of the mean and the deviation"
"""Why a norm saves what it does."""


class BatchNorm2d(SameShape, Fresh):
    """Batch normalisation (Ioffe & Szegedy 2015): statistics of the batch, and running ones."""

    operator = "batch norm"
    beside = "2 an element"

    def __init__(self, name: str, channels: int) -> None:
        super().__init__(name)
        self.channels = channels

    def tensors(self) -> dict[str, Product]:
        channel = (Factor("c", self.channels),)
        return {"weight": channel, "bias": channel}

    def buffers(self) -> dict[str, Shape]:
        return {
            "running_mean": (self.channels,),
            "running_var": (self.channels,),
            "num_batches_tracked": (),
        }

    def products(self, x: tuple[Shape, ...], y: Shape) -> tuple[Product, ...]:
        return ()

    def operations(self, x: tuple[Shape, ...], y: Shape) -> int:
        """Scale and shift, as at inference."""
        return 2 * elements(y)

    def saves(self, x: tuple[Shape, ...], y: Shape) -> Saves:
        """The input, and a mean and an inverse deviation a channel."""
        return Saves(
            FOR_STATISTICS, inputs=(0,), beside=(Kept(2 * self.channels, "statistic", each=False),)
        )

    def module(self) -> Module:
        return Module("BatchNorm2d", self.fields())

    def figure(self, x: Shape, y: Shape) -> str:
        return "BN"


class GroupNorm(SameShape, Fresh):
    """Group normalisation (Wu & He 2018): statistics of each input, over channels in groups."""

    operator = "group norm"
    sees_all = True
    beside = "4 an element"

    def __init__(self, name: str, groups: int, channels: int) -> None:
        super().__init__(name)
        self.groups, self.channels = groups, channels

    def tensors(self) -> dict[str, Product]:
        channel = (Factor("c", self.channels),)
        return {"weight": channel, "bias": channel}

    def buffers(self) -> dict[str, Shape]:
        return {}

    def products(self, x: tuple[Shape, ...], y: Shape) -> tuple[Product, ...]:
        return ()

    def operations(self, x: tuple[Shape, ...], y: Shape) -> int:
        """A sum for the mean, one for the deviation, scale and shift."""
        return 4 * elements(y)

    def saves(self, x: tuple[Shape, ...], y: Shape) -> Saves:
        """The input, and a mean and an inverse deviation a group and input."""
        return Saves(FOR_STATISTICS, inputs=(0,), beside=self.held(x, y))

    def held(self, x: tuple[Shape, ...], y: Shape) -> tuple[Kept, ...]:
        return (Kept(2 * self.groups, "statistic"),)

    def held_backward(self, x: tuple[Shape, ...], y: Shape) -> tuple[Kept, ...]:
        return self.held(x, y)

    def module(self) -> Module:
        return Module("GroupNorm", self.fields())

    def figure(self, x: Shape, y: Shape) -> str:
        return "GN"
