"""Which tensors live at the same time in a training step's backward pass, in PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from resnet_cli.analyses.cost.counts import parameters
from resnet_cli.analyses.memory.live import during, last_use
from resnet_cli.analyses.memory.saved import Saved
from resnet_cli.analyses.memory.storage import (
    Bytes,
    Moment,
    Precision,
    Span,
    add,
    alive,
    output,
    owners,
    stored,
)
from resnet_cli.trace import INPUT, Row, learned


def backward(
    rows: Sequence[Row], precision: Precision, inplace: bool, saved: Saved
) -> list[Moment]:
    """What is alive when each row's gradients are computed, and when it runs again for its block.

    That is what the rows up to it saved, gradients of activations on their way, and those of the
    weights behind it. Weights, buffers and the optimiser's state are excluded.
    """
    held = list(accumulate(saved.rows, add))
    weights = [parameters(row) * precision.weight for row in rows]
    behind = list(accumulate(reversed(weights)))[::-1]
    again: list[Moment] = []
    if saved.blocks:
        passing = alive(run_again(rows, precision, inplace, saved), len(rows))
    for block in saved.blocks:
        before = held[block[0]]
        final = max(index for index in block if saved.again[index] != Bytes())
        saves = accumulate((saved.again[index] for index in block), add)
        for index, more in zip(block, saves, strict=True):
            held[index] = add(held[index], more)
            # it stops where nothing more is to be saved, before a layer that saves its input alone
            if index < final or (index == final and not _saves_first(rows[index])):
                there = add(before, more)
                again.append(Moment(index, there, passing[index], behind[block[-1]], again=True))
    moving = alive(gradients(rows, precision), len(rows))
    computed = enumerate(zip(held, moving, behind, strict=True))
    return [Moment(index, *parts) for index, parts in computed] + again


def gradients(rows: Sequence[Row], precision: Precision) -> list[Span]:
    """Gradients of activations, while each row computes those of what it reads.

    The gradient of an output is alive from the backward pass of its last reader to that of its own
    row. A plain addition and a flattening hand theirs on as it is. A second reader's is added in
    place to the first's, and is alive only in its own backward pass, as are those within a gate.
    """
    readers = {read: index for index, row in enumerate(rows) for read in row.reads}
    made = {len(rows) - 1: len(rows) - 1}  # a gradient's first owner -> the row that computes it
    known = {len(rows) - 1: len(rows) - 1}  # a row's output -> the first owner of its gradient
    spans: list[Span] = []

    def keep(owner: int, first: int, last: int) -> None:
        spans.append(Span(owner, "gradient", first, last, output(rows, owner, precision)))

    had = learned(rows)
    freed: dict[int, int] = {}
    for index in reversed(range(len(rows))):
        row = rows[index]
        if index not in known:  # nobody reads it
            continue
        freed[known[index]] = index
        own = precision.pieces(row.layer.held_backward(row.inputs, row.output))
        spans += [Span(index, "beside", index, index, piece) for piece in own]
        for at, read in enumerate(row.reads):
            if read <= INPUT or not had[read] or stored(rows[read]):
                continue
            if readers[read] != index:
                keep(read, index, index)
            elif row.layer.hands_on(at):
                known[read] = known[index]
            else:
                known[read], made[read] = read, index
    for owner, index in made.items():
        keep(owner, freed[owner], index)
    return spans


def _saves_first(row: Row) -> bool:
    return row.layer.saves(row.inputs, row.output).before_it_runs


def run_again(rows: Sequence[Row], precision: Precision, inplace: bool, saved: Saved) -> list[Span]:
    """Outputs that are not saved, or not yet, while each row of a block runs again.

    And the gradient of the block's output, which waits for it.
    """
    made = owners(rows, inplace, training=True)
    last = last_use(rows, made)
    spans: list[Span] = []
    for block in saved.blocks:
        end = block[-1]
        waiting = output(rows, end, precision)
        spans.append(Span(end, "gradient", block[0], end, waiting))
        for index in block:
            if made[index] == index and not stored(rows[index]):
                freed = saved.first_again.get(index, min(last[index], end) + 1)
                own = output(rows, index, precision)
                spans.append(Span(index, "output", index, freed - 1, own))
            spans += during(index, rows[index], precision)
    return spans
