"""What autograd saves for the backward pass, in PyTorch, storage by storage."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod
from typing import NamedTuple

from resnet_cli.analyses.memory.storage import (
    INDEX,
    WEIGHTED,
    Bytes,
    Precision,
    add,
    owner,
    owners,
    size,
)
from resnet_cli.layers import AdaptiveAvgPool2d, GatedAdd, Layer
from resnet_cli.trace import INPUT, Row

SAVE_INPUTS = (
    "convolution", "linear", "batch norm", "max pool", "average pool", "scale", "gated addition",
)  # fmt: skip
SAVE_OUTPUT = ("ReLU", "sigmoid")
"""The others (addition, zero padding, flatten, dropout) keep neither."""


class Saved(NamedTuple):
    """Bytes by the row that saves them first, in the forward pass; and, where blocks are
    checkpointed, when a block of ``blocks`` (the indices of its rows) runs ``again``, with the
    row that then saves each output first."""

    rows: list[Bytes]
    again: list[Bytes]
    blocks: list[range]
    first_again: dict[int, int]


def saved(rows: Sequence[Row], precision: Precision, inplace: bool, checkpoint: bool) -> Saved:
    """What is saved in training, the input among it, weights and buffers excluded.

    With ``checkpoint``, a block keeps its input alone and runs again in the backward pass (Chen et
    al. 2016, "Training deep nets with sublinear memory cost"). Autocast's copies of the weights are
    kept in blocks too: it holds them to the end of the forward pass.
    """
    found = owners(rows, inplace, training=True)
    blocks = _blocks(rows) if checkpoint else []
    held, again = [Bytes()] * len(rows), [Bytes()] * len(rows)
    inside = {index: block for block in blocks for index in block}
    known: dict[int, int] = {}
    for index, row in enumerate(rows):
        if index not in inside:
            held[index] = _saves(rows, index, found, precision, known)
        elif index == inside[index][0]:
            held[index] = _outputs(rows, {owner(found, row.reads[0])}, index, known, precision)
        if precision.casts:
            held[index] = add(held[index], _copy(row, precision))
    first_again: dict[int, int] = {}
    for block in blocks:
        given = owner(found, rows[block[0]].reads[0])
        known = {given: INPUT}  # it is there already
        for index in block:
            again[index] = _saves(rows, index, found, precision, known)
        del known[given]
        first_again |= known
    return Saved(held, again, blocks, first_again)


def _blocks(rows: Sequence[Row]) -> list[range]:
    """The rows of each residual or plain block; the stem, head and pools stand in none."""
    ends: dict[str, tuple[int, int]] = {}
    for index, row in enumerate(rows):
        if row.label != row.stage:
            ends[row.label] = (ends.get(row.label, (index,))[0], index + 1)
    return [range(*end) for end in ends.values()]


def _saves(
    rows: Sequence[Row],
    index: int,
    found: Sequence[int],
    precision: Precision,
    known: dict[int, int],
) -> Bytes:
    """What a row saves that no row has saved before."""
    row = rows[index]
    storages: set[int] = set()
    if row.layer.kind in SAVE_OUTPUT:
        storages = {found[index]}
    elif row.layer.kind in SAVE_INPUTS and not _is_mean(row.layer):
        gates_shortcut = isinstance(row.layer, GatedAdd) and not row.layer.exclusive
        reads = row.reads[:1] if gates_shortcut else row.reads
        storages = {owner(found, read) for read in reads}
    return add(_outputs(rows, storages, index, known, precision), _besides(row, precision))


def _is_mean(layer: Layer) -> bool:
    """Pooling to one pixel is a mean, whose gradient needs no numbers."""
    return isinstance(layer, AdaptiveAvgPool2d) and layer.size == 1


def _outputs(
    rows: Sequence[Row],
    storages: Iterable[int],
    index: int,
    known: dict[int, int],
    precision: Precision,
) -> Bytes:
    """Bytes of those outputs that are not ``known`` to be saved; from this row on they are.

    Of the network's input they are autocast's copy, where there is one.
    """
    each = 0
    for storage in storages:
        if known.setdefault(storage, index) == index:
            each += prod(rows[storage].output if storage >= 0 else rows[0].input)
    return Bytes(each * precision.activation)


def _besides(row: Row, precision: Precision) -> Bytes:
    """What a layer saves besides activations: a mean and an inverse deviation a channel, the place
    of each maximum, which elements dropout kept (as factors, in the activations' width), g and 1 − g."""
    match row.layer.kind:
        case "batch norm":
            return Bytes(once=2 * row.output[0] * precision.statistic)
        case "max pool":
            return Bytes(prod(row.output) * INDEX)
        case "dropout":
            return Bytes(size(row, precision))
        case "gated addition":
            return Bytes(2 * size(row, precision))
    return Bytes()


def _copy(row: Row, precision: Precision) -> Bytes:
    """Autocast's copy of a weight; a bias has one too, which is not saved."""
    if row.layer.kind not in WEIGHTED:
        return Bytes()
    return Bytes(once=prod(row.layer.parameters()["weight"]) * precision.activation)
