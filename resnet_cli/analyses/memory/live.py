"""Which tensors live at the same time at inference, in PyTorch without gradients."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from resnet_cli.analyses.cost.counts import multiplies, parameters
from resnet_cli.analyses.memory.storage import (
    Bytes,
    Moment,
    Piece,
    Precision,
    Span,
    alive,
    output,
    owner,
    owners,
    stored,
)  # fmt: skip
from resnet_cli.trace import INPUT, Row


def live(rows: Sequence[Row], precision: Precision, inplace: bool) -> list[Moment]:
    """Bytes of the tensors alive while each row runs, the network's input and weights excluded.

    Autocast's copies of the weights it keeps to the end of the pass.
    """
    passing = alive(outputs(rows, precision, inplace), len(rows))
    copies = accumulate(_copied(row, precision) for row in rows)
    return [
        Moment(index, Bytes(), there, copied)
        for index, (there, copied) in enumerate(zip(passing, copies, strict=True))
    ]


def outputs(rows: Sequence[Row], precision: Precision, inplace: bool) -> list[Span]:
    """The output of each row that has a storage of its own, and what is allocated while one runs.

    A tensor is freed after its last reader, but not before the modules that were called with it
    have returned: Python holds a call's arguments.
    """
    made = owners(rows, inplace, training=False)
    last = last_use(rows, made)
    spans = [
        Span(index, "output", index, last[index], output(rows, index, precision))
        for index in range(len(rows))
        if made[index] == index and not stored(rows[index])
    ]
    return spans + [
        span for index, row in enumerate(rows) for span in during(index, row, precision)
    ]


def last_use(rows: Sequence[Row], made: Sequence[int]) -> dict[int, int]:
    """For each storage the last row at which it is held."""
    last = {made[-1]: len(rows) - 1}  # what the network returns

    def hold(read: int, until: int) -> None:
        storage = owner(made, read)
        last[storage] = max(until, last.get(storage, until))

    for index, row in enumerate(rows):
        hold(index, index)
        for read in row.reads:
            hold(read, index)
    modules = _modules(rows)
    for first, end in modules.values():
        for read in rows[first].reads[:1]:
            hold(read, end)
    for index, row in enumerate(rows):  # a block keeps what its body and shortcut start from
        if row.role == "shortcut" and rows[index - 1].role != "shortcut" and row.reads:
            joins = (at for at in range(index, len(rows)) if len(rows[at].reads) > 1)
            hold(row.reads[0], next(joins, index))
        if row.layer.join or row.layer.gate:  # and what it adds to its body, or scales by it
            hold(row.reads[0], modules[row.inside[-1]][1] if row.inside else len(rows) - 1)
    return last


def _modules(rows: Sequence[Row]) -> dict[str, tuple[int, int]]:
    """The first and last row of every module that holds others, by its path."""
    spans: dict[str, tuple[int, int]] = {}
    for index, row in enumerate(rows):
        for path in row.inside:
            spans[path] = (spans.get(path, (index,))[0], index)
    return spans


def during(index: int, row: Row, precision: Precision) -> list[Span]:
    """What a layer allocates and frees, or else autocast's copy of the network's input."""
    own = precision.pieces(row.layer.held(row.inputs, row.output))
    if INPUT in row.reads[:1] and precision.casts and not own:
        own = [Piece("activation", row.input, precision.activation)]
    return [Span(index, "beside", index, index, piece) for piece in own]


def _copied(row: Row, precision: Precision) -> int:
    """Autocast's copies, in half the width, of the weight and bias that a layer multiplies by."""
    if precision.casts and multiplies(row):
        return parameters(row) * precision.activation
    return 0
