"""What holds bytes: how wide numbers are, and which layers' outputs share one storage."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod
from typing import NamedTuple

from resnet_cli.layers.base import Kept
from resnet_cli.trace import INPUT, Row

INDEX = 8
"""Bytes of an int64: a max pool's indices, a batch norm's counter of batches."""


class Bytes(NamedTuple):
    """``each`` for every input of the batch, ``once`` whatever the batch."""

    each: int = 0
    once: int = 0

    def of(self, batch: int) -> int:
        """All bytes of a batch."""
        return self.each * batch + self.once


def add(one: Bytes, other: Bytes) -> Bytes:
    """Both together."""
    return Bytes(one.each + other.each, one.once + other.once)


class Precision(NamedTuple):
    """Bytes of a weight (as of its gradient and optimiser state, of an input and a running
    statistic), of an activation, and of the mean and deviation that a norm saves.

    Where weights are wider than activations, autocast keeps a narrow copy of each that it multiplies.
    """

    weight: int
    activation: int
    statistic: int

    @property
    def casts(self) -> bool:
        """Whether it is autocast: weights and the input are copied to the activations' width."""
        return self.weight != self.activation

    def bytes_of(self, kept: Iterable[Kept]) -> Bytes:
        """What numbers beside the activations themselves take."""
        widths = {"activation": self.activation, "statistic": self.statistic, "index": INDEX}
        each = once = 0
        for numbers, width, every in kept:
            each += numbers * widths[width] * every
            once += numbers * widths[width] * (not every)
        return Bytes(each, once)


PRECISIONS = {
    "fp32": Precision(4, 4, 4),
    "fp16": Precision(2, 2, 2),
    "bf16": Precision(2, 2, 2),
    "amp": Precision(4, 2, 4),
}


def owners(rows: Sequence[Row], inplace: bool, training: bool) -> list[int]:
    """For each row the one that made the storage of its output; INPUT stands for the network's."""
    made: list[int] = []
    for index, row in enumerate(rows):
        shares = row.layer.shares(training, inplace)
        made.append(owner(made, row.reads[0]) if shares else index)
    return made


def owner(made: Sequence[int], read: int) -> int:
    """The owner of what a row reads."""
    return made[read] if read != INPUT else INPUT


def size(row: Row, precision: Precision) -> int:
    """Bytes of a row's output for one input."""
    return prod(row.output) * precision.activation
