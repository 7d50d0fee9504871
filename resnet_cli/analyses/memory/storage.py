"""What holds bytes: how wide numbers are, and which layers' outputs share one storage."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate
from math import prod
from typing import NamedTuple

from resnet_cli.layers.arithmetic import Shape
from resnet_cli.layers.base import Kept
from resnet_cli.trace import INPUT, Row, input_of

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


class Piece(NamedTuple):
    """Numbers kept together: of this ``shape``, ``width`` bytes each, for ``each`` input or once.

    ``what`` they are: an activation, statistic, index or weight. ``storage`` is the row whose output
    they are (INPUT: the network's), None where they stand beside.
    """

    what: str
    shape: Shape
    width: int
    each: bool = True
    storage: int | None = None

    @property
    def size(self) -> int:
        """Bytes: of one input, or of all where it is kept once."""
        return prod(self.shape) * self.width


def total(pieces: Iterable[Piece]) -> Bytes:
    """All of them together."""
    each = once = 0
    for piece in pieces:
        if piece.each:
            each += piece.size
        else:
            once += piece.size
    return Bytes(each, once)


class Span(NamedTuple):
    """A tensor that is alive from the row ``first`` to ``last``: ``what`` it is to its ``row``."""

    row: int
    what: str
    first: int
    last: int
    piece: Piece


def alive(spans: Iterable[Span], rows: int) -> list[Bytes]:
    """Bytes that the spans hold together at each row."""
    each, once = [0] * (rows + 1), [0] * (rows + 1)
    for _, _, first, last, piece in spans:
        changes = each if piece.each else once
        changes[first] += piece.size
        changes[last + 1] -= piece.size
    return list(map(Bytes, accumulate(each[:-1]), accumulate(once[:-1])))


class Moment(NamedTuple):
    """What is alive while a row runs, or its gradients are computed, beside what always is.

    What autograd has ``saved``; the ``passing`` tensors, activations or their
    gradients; of the ``weights`` the gradients so far, at inference autocast's copies. ``again``:
    while the row runs again for its block.
    """

    row: int
    saved: Bytes
    passing: Bytes
    weights: int
    again: bool = False

    @property
    def each(self) -> int:
        """Bytes of every input."""
        return self.saved.each + self.passing.each

    @property
    def once(self) -> int:
        """Bytes whatever the batch."""
        return self.saved.once + self.passing.once + self.weights

    def of(self, batch: int) -> int:
        """All bytes of a batch."""
        return self.each * batch + self.once


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

    def pieces(self, kept: Sequence[Kept]) -> list[Piece]:
        """Numbers beside the activations themselves, with the bytes that each takes."""
        if not kept:
            return []
        widths = {"activation": self.activation, "statistic": self.statistic, "index": INDEX}
        return [Piece(what, (numbers,), widths[what], each) for numbers, what, each in kept]


PRECISIONS = {
    "fp32": Precision(4, 4, 4),
    "fp16": Precision(2, 2, 2),
    "bf16": Precision(2, 2, 2),
    "amp": Precision(4, 2, 4),
}


def stored(row: Row) -> bool:
    """Whether its output is a weight or buffer, and there already."""
    return not row.reads and bool(row.layer.tensors() or row.layer.buffers())


def owners(rows: Sequence[Row], inplace: bool, training: bool) -> list[int]:
    """For each row the one that made the storage of its output; INPUT stands for the network's."""
    made: list[int] = []
    for index, row in enumerate(rows):
        shares = row.layer.shares(training, inplace)
        made.append(owner(made, row.reads[0]) if shares and row.reads else index)
    return made


def owner(made: Sequence[int], read: int) -> int:
    """The owner of what a row reads."""
    return made[read] if read > INPUT else read


def output(rows: Sequence[Row], storage: int, precision: Precision) -> Piece:
    """A row's output, or the network's input as autocast or the first layer has it."""
    shape = rows[storage].output if storage > INPUT else input_of(rows, storage)
    return Piece("activation", shape, precision.activation, storage=storage)


def inputs(rows: Sequence[Row], precision: Precision) -> list[Piece]:
    """The network's inputs, as wide as weights."""
    read = {at for row in rows for at in row.reads if at <= INPUT} or {INPUT}
    pieces = [output(rows, at, precision) for at in sorted(read, reverse=True)]
    return [piece._replace(width=precision.weight) for piece in pieces]
