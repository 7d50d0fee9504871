"""What autograd saves for the backward pass, in PyTorch, storage by storage."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod
from typing import NamedTuple

from resnet_cli.analyses.cost.counts import multiplies
from resnet_cli.analyses.memory.storage import Bytes, Precision, add, owner, owners
from resnet_cli.trace import INPUT, Block, Row


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
    made = owners(rows, inplace, training=True)
    blocks = _blocks(rows) if checkpoint else []
    held, again = [Bytes()] * len(rows), [Bytes()] * len(rows)
    inside = {index: block for block in blocks for index in block}
    known: dict[int, int] = {}
    for index, row in enumerate(rows):
        if index not in inside:
            held[index] = _saves(rows, index, made, precision, known)
        elif index == inside[index][0]:
            held[index] = _outputs(rows, {owner(made, row.reads[0])}, index, known, precision)
        if precision.casts:
            held[index] = add(held[index], _copy(row, precision))
    first_again: dict[int, int] = {}
    for block in blocks:
        given = owner(made, rows[block[0]].reads[0])
        known = {given: INPUT}  # it is there already
        for index in block:
            again[index] = _saves(rows, index, made, precision, known)
        del known[given]
        first_again |= known
    return Saved(held, again, blocks, first_again)


def _blocks(rows: Sequence[Row]) -> list[range]:
    """The rows of each residual or plain block; the stem, head and pools stand in none."""
    ends: dict[Block, tuple[int, int]] = {}
    for index, row in enumerate(rows):
        if row.block:
            ends[row.block] = (ends.get(row.block, (index,))[0], index + 1)
    return [range(*end) for end in ends.values()]


def _saves(
    rows: Sequence[Row],
    index: int,
    made: Sequence[int],
    precision: Precision,
    known: dict[int, int],
) -> Bytes:
    """What a row saves that no row has saved before."""
    row = rows[index]
    kept = row.layer.saves(row.inputs, row.output)
    storages = {owner(made, row.reads[at]) for at in kept.inputs}
    if kept.output:
        storages.add(made[index])
    own = _outputs(rows, storages, index, known, precision)
    return add(own, precision.bytes_of(kept.beside))


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


def _copy(row: Row, precision: Precision) -> Bytes:
    """Autocast's copy of a weight, made once; a bias has one too, which is not saved."""
    if not multiplies(row) or "weight" in row.shared:
        return Bytes()
    return Bytes(once=prod(row.layer.parameters()["weight"]) * precision.activation)
