"""Norms: a mean and a deviation taken off, a learned scale and shift put on, a channel each; and a scale alone."""

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


class BatchNorm1d(BatchNorm2d):
    """Batch normalisation of a vector: a mean and a deviation of each number."""

    def module(self) -> Module:
        return Module("BatchNorm1d", self.fields())


class FrozenBatchNorm2d(SameShape, Fresh):
    """Batch norm as detectors use it, whose gain, shift and statistics are buffers: nothing is learned or moves."""

    operator = "frozen batch norm"
    beside = "2 an element"

    def __init__(self, name: str, channels: int) -> None:
        super().__init__(name)
        self.channels = channels

    def tensors(self) -> dict[str, Product]:
        return {}

    def buffers(self) -> dict[str, Shape]:
        return dict.fromkeys(("weight", "bias", "running_mean", "running_var"), (self.channels,))

    def products(self, x: tuple[Shape, ...], y: Shape) -> tuple[Product, ...]:
        return ()

    def operations(self, x: tuple[Shape, ...], y: Shape) -> int:
        """Scale and shift, which are made of the buffers once, whatever the batch."""
        return 2 * elements(y)

    def saves(self, x: tuple[Shape, ...], y: Shape) -> Saves:
        """The scale of each channel."""
        scale = Kept(self.channels, each=False)
        return Saves("the gradient is handed on, times each channel's scale", beside=(scale,))

    def held(self, x: tuple[Shape, ...], y: Shape) -> tuple[Kept, ...]:
        """The scaled input, and each channel's scale and shift."""
        return (Kept(elements(y)), Kept(2 * self.channels, each=False))

    def module(self) -> Module:
        return Module("FrozenBatchNorm2d", self.fields())

    def figure(self, x: Shape, y: Shape) -> str:
        return "frozen BN"


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


class LayerNorm(SameShape, Fresh):
    """Layer normalisation (Ba et al. 2016) over the last side: the statistics are of each place alone."""

    operator = "layer norm"
    beside = "4 an element"

    def __init__(self, name: str, channels: int, eps: float) -> None:
        super().__init__(name)
        self.channels, self.eps = channels, eps

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
        """The input, and a mean and an inverse deviation a place."""
        return Saves(FOR_STATISTICS, inputs=(0,), beside=self.held(x, y))

    def held(self, x: tuple[Shape, ...], y: Shape) -> tuple[Kept, ...]:
        return (Kept(2 * elements(y) // self.channels, "statistic"),)

    def reach(self, seen: Sequence[Seen | None], x: tuple[Shape, ...], y: Shape) -> Seen:
        return one(seen).mixed(len(y) - 1, self.channels)

    def module(self) -> Module:
        return Module("LayerNorm", self.fields(), {"eps": 1e-5})

    def figure(self, x: Shape, y: Shape) -> str:
        return "LN"


class LayerNorm2d(LayerNorm):
    """The same over the channels of a map, which stand first."""

    def reach(self, seen: Sequence[Seen | None], x: tuple[Shape, ...], y: Shape) -> Seen:
        return one(seen).mixed(0, self.channels)

    def module(self) -> Module:
        return Module("LayerNorm2d", self.fields(), {"eps": 1e-5})


class GlobalResponseNorm(SameShape, Fresh):
    """γ·x·N + bias + x, with N a channel's L2 norm over the map by the mean of all channels' (Woo et al. 2023, Sec. 4.2).

    Channels stand last, or else first.
    """

    operator = "global response norm"
    autocast_known = False
    sees_all = True
    beside = "6 an element, 3 a channel and 1"

    def __init__(self, name: str, channels: int, channels_last: bool) -> None:
        super().__init__(name)
        self.channels, self.channels_last = channels, channels_last

    def tensors(self) -> dict[str, Product]:
        channel = (Factor("c", self.channels),)
        return {"weight": channel, "bias": channel}

    def buffers(self) -> dict[str, Shape]:
        return {}

    def products(self, x: tuple[Shape, ...], y: Shape) -> tuple[Product, ...]:
        return ()

    def operations(self, x: tuple[Shape, ...], y: Shape) -> int:
        """A square and a sum, x·N, scale, shift and x; a root, a sum for the mean and a quotient; ε."""
        return 6 * elements(y) + 3 * self.channels + 1

    def saves(self, x: tuple[Shape, ...], y: Shape) -> Saves:
        """The input, x·N, the channels' norms, their mean and the quotients."""
        beside = (Kept(elements(y)), Kept(2 * self.channels + 1))
        return Saves("a product's gradient is made of its other factor", (0,), beside=beside)

    def held(self, x: tuple[Shape, ...], y: Shape) -> tuple[Kept, ...]:
        return (Kept(elements(y)), Kept(2 * self.channels))

    def held_backward(self, x: tuple[Shape, ...], y: Shape) -> tuple[Kept, ...]:
        """The gradient of x·N, and of one more way by which x comes in as what was saved of x·N goes."""
        return (Kept(elements(y)), Kept(2 * self.channels + 3))

    def module(self) -> Module:
        return Module("GlobalResponseNorm", self.fields(), {"channels_last": True})

    def figure(self, x: Shape, y: Shape) -> str:
        return "GRN"


class LayerScale(SameShape, Fresh):
    """Every channel of a map times a number that is learned, and small at the start (Touvron et al. 2021, "CaiT")."""

    operator = "layer scale"
    autocast_known = False
    beside = "1 an element"

    def __init__(self, name: str, channels: int) -> None:
        super().__init__(name)
        self.channels = channels

    def tensors(self) -> dict[str, Product]:
        return {"weight": (Factor("c", self.channels),)}

    def buffers(self) -> dict[str, Shape]:
        return {}

    def products(self, x: tuple[Shape, ...], y: Shape) -> tuple[Product, ...]:
        return ()

    def operations(self, x: tuple[Shape, ...], y: Shape) -> int:
        return elements(y)

    def saves(self, x: tuple[Shape, ...], y: Shape) -> Saves:
        return Saves("the gradient of its numbers is made of it", inputs=(0,))

    def held_backward(self, x: tuple[Shape, ...], y: Shape) -> tuple[Kept, ...]:
        """The gradient of its numbers before it is added up over the places of a channel."""
        return (Kept(elements(y)),)

    def module(self) -> Module:
        return Module("LayerScale", self.fields())


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
