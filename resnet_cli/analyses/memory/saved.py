"""What autograd saves for the backward pass, in PyTorch, storage by storage."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from resnet_cli.analyses.cost.counts import multiplies
from resnet_cli.analyses.memory.storage import (
    Bytes,
    Piece,
    Precision,
    output,
    owner,
    owners,
    total,
)
from resnet_cli.trace import INPUT, Block, Row, learned, live


class Saved(NamedTuple):
    """What each row saves first in the forward pass, and how many bytes ``rows`` of it are.

    ``first`` is the row that saved each storage. Where blocks are checkpointed, ``again`` is what
    is saved when a block of ``blocks`` (the indices of its rows) runs again, and ``first_again`` the
    row that then saves each output first.
    """

    pieces: list[list[Piece]]
    rows: list[Bytes]
    first: dict[int, int]
    blocks: list[range]
    pieces_again: list[list[Piece]]
    again: list[Bytes]
    first_again: dict[int, int]


def saved(rows: Sequence[Row], precision: Precision, inplace: bool, checkpoint: bool) -> Saved:
    """What is saved in training, the input among it, weights and buffers excluded.

    With ``checkpoint``, a block keeps its input alone and runs again in the backward pass (Chen et
    al. 2016, "Training deep nets with sublinear memory cost"). Autocast's copies of the weights are
    kept in blocks too: it holds them to the end of the forward pass.
    """
    made = owners(rows, inplace, training=True)
    had, reached = learned(rows), live(rows)
    blocks = _blocks(rows) if checkpoint else []
    inside = {index: block for block in blocks for index in block}
    pieces: list[list[Piece]] = []
    first: dict[int, int] = {}
    for index, row in enumerate(rows):
        if not had[index]:
            kept = []
        elif index not in inside:
            kept = wanted(rows, index, made, precision, reached)
        elif index == inside[index][0]:
            kept = [output(rows, owner(made, read), precision) for read in row.reads[:1]]
        else:
            kept = []
        pieces.append(_new([*kept, *_copies(row, precision)], index, first))
    pieces_again: list[list[Piece]] = [[] for _ in rows]
    first_again: dict[int, int] = {}
    for block in blocks:
        known = {owner(made, read): INPUT for read in rows[block[0]].reads[:1]}  # there already
        start = [*known]
        for index in block:
            pieces_again[index] = _new(wanted(rows, index, made, precision, reached), index, known)
        for storage in start:
            del known[storage]
        first_again |= known
    again = [*map(total, pieces_again)]
    return Saved(pieces, [*map(total, pieces)], first, blocks, pieces_again, again, first_again)


def wanted(
    rows: Sequence[Row],
    index: int,
    made: Sequence[int],
    precision: Precision,
    reached: Sequence[bool],
) -> list[Piece]:
    """All that the backward pass of a row takes from the forward pass, saved before or not.

    ``reached`` says of each row whether the input reaches it: what does not is saved once for all inputs.
    """
    row = rows[index]
    saves = row.layer.saves(row.inputs, row.output)
    storages = [owner(made, row.reads[at]) for at in saves.inputs]
    if saves.output:
        storages.append(made[index])
    outputs = [
        output(rows, storage, precision)._replace(each=storage <= INPUT or reached[storage])
        for storage in storages
        if storage <= INPUT or rows[storage].reads  # else it is a weight's, and there already
    ]
    beside = precision.pieces(saves.beside)
    if not reached[index]:
        beside = [piece._replace(each=False) for piece in beside]
    return [*outputs, *beside]


def _new(pieces: Iterable[Piece], index: int, first: dict[int, int]) -> list[Piece]:
    """The pieces without the storages that a row has saved before; from this row on these are."""
    new = []
    for piece in pieces:
        if piece.storage is None:
            new.append(piece)
        elif piece.storage not in first:
            first[piece.storage] = index
            new.append(piece)
    return new


def _copies(row: Row, precision: Precision) -> list[Piece]:
    """Autocast's copy of a weight, made once; a bias has one too, which is not saved."""
    if not precision.casts or not multiplies(row) or "weight" in row.shared:
        return []
    shape = row.layer.parameters().get("weight", ())
    return [Piece("weight", shape, precision.activation, each=False)]


def _blocks(rows: Sequence[Row]) -> list[range]:
    """The rows of each residual or plain block; the stem, head and pools stand in none."""
    ends: dict[Block, tuple[int, int]] = {}
    for index, row in enumerate(rows):
        if row.block:
            ends[row.block] = (ends.get(row.block, (index,))[0], index + 1)
    return [range(*end) for end in ends.values()]
