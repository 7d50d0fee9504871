"""Norms: a mean and a deviation taken off, a learned scale and shift put on, a channel each."""

from __future__ import annotations

from collections.abc import Sequence

from resnet_cli.layers.arithmetic import Factor, Product, Shape
from resnet_cli.layers.base import Fresh, Kept, Module, OfGraph, SameShape, Saves, elements
from resnet_cli.layers.reach import Seen, one

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


class Norm(OfGraph):
    """A norm as graphs bring it: layer, instance, RMS, or group and batch norm of other shapes or tensors.

    ``learned`` and ``kept`` are its tensors and buffers by torch's names; ``statistics`` how many it takes of
    one input, with ``of_batch`` once for all. ``all_places``: whether they are taken over all of a map. Ba et al. 2016; Ulyanov et al. 2016;
    Zhang & Sennrich 2019.
    """

    def __init__(
        self, name: str, operator: str, shape: Shape, learned: tuple[tuple[str, Shape], ...],
        statistics: int, kept: tuple[tuple[str, Shape], ...] = (),
        of_batch: bool = False, all_places: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(name, operator, shape)
        self.learned, self.statistics, self.kept = learned, statistics, kept
        self.of_batch, self.all_places = of_batch, all_places
        self.sees_all = all_places and not of_batch

    @property
    def resizes(self) -> bool:
        return False

    @property
    def beside(self) -> str:  # type: ignore[override]
        return f"{2 if self.of_batch else 4} an element"

    def tensors(self) -> dict[str, Product]:
        return {name: tuple(Factor("c", side) for side in shape) for name, shape in self.learned}

    def buffers(self) -> dict[str, Shape]:
        return dict(self.kept)

    def products(self, x: tuple[Shape, ...], y: Shape) -> tuple[Product, ...]:
        return ()

    def operations(self, x: tuple[Shape, ...], y: Shape) -> int:
        """Mean and deviation, of a batch none at inference; scale and shift."""
        return (2 if self.of_batch else 4) * elements(y)

    def saves(self, x: tuple[Shape, ...], y: Shape) -> Saves:
        beside = Kept(self.statistics, "statistic", each=not self.of_batch)
        scaled = len(x) > 1 and not self.learned  # by what an earlier row computed
        return Saves(FOR_STATISTICS, (0, 1) if scaled else (0,), beside=(beside,))

    def reach(self, seen: Sequence[Seen | None], x: tuple[Shape, ...], y: Shape) -> Seen:
        return one(seen)
