"""What autograd saves for the backward pass, in PyTorch, storage by storage."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import NamedTuple

from resnet_cli.analyses.cost.counts import multiplies
from resnet_cli.analyses.memory.storage import (
    INDEX,
    Bytes,
    Piece,
    Precision,
    output,
    owner,
    owners,
    stored,
    total,
)
from resnet_cli.layers.base import Kept
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
            kept = wanted(rows, index, made, precision, reached, had)
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
            again_wanted = wanted(rows, index, made, precision, reached, had)
            pieces_again[index] = _new(again_wanted, index, known)
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
    had: Sequence[bool],
) -> list[Piece]:
    """All that the backward pass of a row takes from the forward pass, saved before or not.

    ``reached`` says of each row whether the input reaches it: what does not is saved once for all inputs;
    ``had`` whether a gradient is taken of its output.
    """
    row = rows[index]
    saves = row.layer.saves(row.inputs, row.output)
    learned = [read > INPUT and had[read] for read in row.reads]
    storages, copies, indices = [], [], []
    for at, copied in zip_longest(saves.inputs, saves.copied, fillvalue=0):
        by_others = any(learned[other] for other in saves.inputs if other != at)
        if at in saves.factors and not by_others:
            continue
        if copied:
            copies.append(Kept(copied))
        else:
            storages.append(owner(made, row.reads[at]))
        if at in saves.indices:
            indices.append(storages[-1])
    if saves.output:
        storages.append(made[index])
    outputs = [
        output(rows, storage, precision)._replace(each=storage <= INPUT or reached[storage])
        for storage in storages
        if storage <= INPUT or not stored(rows[storage])
    ]
    outputs = [
        piece._replace(what="index", width=INDEX) if piece.storage in indices else piece
        for piece in outputs
    ]
    others = precision.pieces((*copies, *saves.beside))
    if not reached[index]:
        others = [piece._replace(each=False) for piece in others]
    return [*outputs, *others]


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
