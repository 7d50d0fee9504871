"""Which tensors live at the same time in a training step's backward pass, in PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from resnet_cli.analyses.cost.counts import parameters
from resnet_cli.analyses.memory.live import during, last_use
from resnet_cli.analyses.memory.saved import Saved
from resnet_cli.analyses.memory.storage import Bytes, Precision, add, owners, size
from resnet_cli.trace import INPUT, Row


def backward(rows: Sequence[Row], precision: Precision, inplace: bool, saved: Saved) -> list[Bytes]:
    """What is alive when each row's gradients are computed, and when it runs again for its block.

    That is what the rows up to it saved, gradients of activations on their way, and those of the
    weights behind it. Weights, buffers and the optimiser's state are excluded.
    """
    held = list(accumulate(saved.rows, add))
    weights = [parameters(row) * precision.weight for row in rows]
    behind = list(accumulate(reversed(weights)))[::-1]
    again: list[Bytes] = []
    passing = _passing(rows, precision, inplace, saved) if saved.blocks else []
    for block in saved.blocks:
        each, once = held[block[0]]
        each, once = each + size(rows[block[-1]], precision), once + behind[block[-1]]
        final = max(index for index in block if saved.again[index] != Bytes())
        saves = accumulate((saved.again[index] for index in block), add)
        for index, (more, constant) in zip(block, saves, strict=True):
            held[index] = Bytes(held[index].each + more, held[index].once + constant)
            # it stops where nothing more is to be saved, before a layer that saves its input alone
            if index < final or (index == final and not _saves_first(rows[index])):
                again.append(Bytes(each + more + passing[index], once + constant))
    moving = _moving(rows, precision)
    computed = zip(held, moving, behind, strict=True)
    return [Bytes(h.each + each, h.once + once) for h, each, once in computed] + again


def _moving(rows: Sequence[Row], precision: Precision) -> list[int]:
    """Bytes of activations' gradients while each row computes those of what it reads.

    The gradient of an output is alive from the backward pass of its last reader to that of its own
    row. A plain addition and a flattening hand theirs on as it is. A second reader's is added in
    place to the first's, and is alive only in its own backward pass, as are those within a gate.
    """
    readers = {read: index for index, row in enumerate(rows) for read in row.reads}
    made = {len(rows) - 1: len(rows) - 1}  # a gradient's first owner -> the row that computes it
    known = {len(rows) - 1: len(rows) - 1}  # a row's output -> the first owner of its gradient
    changes = [0] * (len(rows) + 1)

    def alive(owner: int, first: int, last: int) -> None:
        changes[first] += size(rows[owner], precision)
        changes[last + 1] -= size(rows[owner], precision)

    freed: dict[int, int] = {}
    for index in reversed(range(len(rows))):
        row = rows[index]
        freed[known[index]] = index
        held = precision.bytes_of(row.layer.held_backward(row.inputs, row.output)).each
        changes[index] += held
        changes[index + 1] -= held
        for at, read in enumerate(row.reads):
            if read == INPUT:
                continue
            if readers[read] != index:
                alive(read, index, index)
            elif row.layer.hands_on(at):
                known[read] = known[index]
            else:
                known[read], made[read] = read, index
    for owner, index in made.items():
        alive(owner, freed[owner], index)
    return list(accumulate(changes[:-1]))


def _saves_first(row: Row) -> bool:
    return row.layer.saves(row.inputs, row.output).before_it_runs


def _passing(rows: Sequence[Row], precision: Precision, inplace: bool, saved: Saved) -> list[int]:
    """Bytes of outputs that are not saved, or not yet, while each row of a block runs again."""
    made = owners(rows, inplace, training=True)
    last = last_use(rows, made)
    changes = [0] * (len(rows) + 1)
    for block in saved.blocks:
        for index in block:
            if made[index] == index:
                end = saved.first_again.get(index, min(last[index], block[-1]) + 1)
                changes[index] += size(rows[index], precision)
                changes[end] -= size(rows[index], precision)
            changes[index] += during(rows[index], precision)
            changes[index + 1] -= during(rows[index], precision)
    return list(accumulate(changes[:-1]))
