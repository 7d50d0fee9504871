"""Memory by stage or another level, in training and at inference, and the largest batch that a budget holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from resnet_cli.analyses import levels
from resnet_cli.analyses.cost import counts
from resnet_cli.analyses.levels import Level
from resnet_cli.analyses.memory.backward import backward
from resnet_cli.analyses.memory.live import live
from resnet_cli.analyses.memory.saved import Saved, saved
from resnet_cli.analyses.memory.storage import (
    INDEX,
    PRECISIONS,
    Bytes,
    Moment,
    Precision,
    inputs,
)  # fmt: skip
from resnet_cli.designs.limits import BATCH
from resnet_cli.tables import Column, Table
from resnet_cli.trace import Row

STATES = {"sgd": 0, "momentum": 1, "adam": 2, "adamw": 2}
"""Numbers that an optimiser keeps for each weight, besides its step counters."""

COLUMNS = (
    Column("weights", "weights", "bytes"),
    Column("buffers", "buffers", "bytes", drop=3),
    Column("gradients", "gradients", "bytes", drop=2),
    Column("optimizer", "optimiser", "bytes", drop=1),
    Column("saved", "saved", "bytes"),
    Column("live", "live", "bytes"),
)
PARTS = tuple(column.key for column in COLUMNS)
SUMMED = PARTS[:-1]


class Settings(NamedTuple):
    """How the network is run: ``optimizer`` is of STATES, ``dtype`` of PRECISIONS."""

    optimizer: str = "momentum"
    dtype: str = "fp32"
    inplace: bool = False
    checkpoint: bool = False


class Peaks(NamedTuple):
    """What is there ``always``, and what comes to it at each moment that could be the worst."""

    always: Bytes
    moments: list[Moment]

    def worst(self, batch: int) -> Moment:
        """The moment that takes most for a batch."""
        return max(self.moments, key=lambda moment: moment.of(batch))

    def of(self, batch: int) -> int:
        """All bytes at the worst moment for a batch."""
        return self.always.of(batch) + self.worst(batch).of(batch)

    def largest_batch(self, budget: int) -> int:
        """The most inputs for which every moment is within the budget; 0 where one is too many.

        At most `resnet_cli.designs.limits.BATCH`.
        """
        each, room = self.always.each, budget - self.always.once
        most = min((room - moment.once) // (each + moment.each) for moment in self.moments)
        return min(max(most, 0), BATCH)


class Memory(NamedTuple):
    """What a network keeps, for any batch.

    ``input`` is one input, ``resident`` all weights and buffers, ``fixed`` those, the gradients and
    the state of each row; ``saved`` and ``live`` are of each row, in training and at inference.
    """

    rows: Sequence[Row]
    settings: Settings
    input: int
    resident: int
    fixed: list[dict[str, int]]
    saved: Saved
    live: list[Moment]
    training: Peaks
    inference: Peaks

    @property
    def precision(self) -> Precision:
        """How wide its numbers are."""
        return PRECISIONS[self.settings.dtype]


def memory(rows: Sequence[Row], settings: Settings) -> Memory:
    """What a network keeps under these settings."""
    precision, inplace = PRECISIONS[settings.dtype], settings.inplace
    one = sum(piece.size for piece in inputs(rows, precision))
    fixed = [_fixed(row, precision, STATES[settings.optimizer]) for row in rows]
    resident = sum(part["weights"] + part["buffers"] for part in fixed)
    state = sum(part["optimizer"] for part in fixed)
    held = saved(rows, precision, inplace, settings.checkpoint)
    alive = live(rows, precision, inplace)
    # what conv1 saves is the input itself, or else autocast's copy beside it
    training = Bytes(one if precision.casts else 0, resident + state)
    return Memory(
        rows,
        settings,
        one,
        resident,
        fixed,
        held,
        alive,
        Peaks(training, backward(rows, precision, inplace, held)),
        Peaks(Bytes(one, resident), alive),
    )


def _fixed(row: Row, precision: Precision, states: int) -> dict[str, int]:
    """What the weights of a layer take, whatever the batch."""
    weights = counts.parameters(row) * precision.weight
    return {
        "weights": weights,
        "buffers": counts.buffers(row) * precision.weight + INDEX * counters(row),
        "gradients": weights,
        "optimizer": weights * states,
    }


def counters(row: Row) -> int:
    """A norm's counters of batches, an int64 each."""
    return 0 if row.shared else sum(not shape for shape in row.layer.buffers().values())


def heaviest_again(of: Memory, batch: int) -> tuple[str, int]:
    """The checkpointed block that saves most when it runs again, and its bytes."""
    runs = {
        of.rows[block[0]].label: sum(of.saved.again[index].of(batch) for index in block)
        for block in of.saved.blocks
    }
    return max(runs.items(), key=lambda run: run[1])


def by_level(of: Memory, batch: int, level: Level | None = None) -> tuple[Table, dict[str, int]]:
    """Bytes by stage or another level, and their totals: sums, but for ``live`` the input and the largest line.

    The totals have the peaks of ``training`` and ``inference`` too. Where blocks are checkpointed, the
    one that saves most when it runs again has a line of its own.
    """
    level = level or levels.level(of.rows, "stage")
    found: dict[str, dict[str, int]] = {"input": {"live": of.input * batch}}
    for row, fixed, saves, alive in zip(of.rows, of.fixed, of.saved.rows, of.live, strict=True):
        line = found.setdefault(level.name(row), dict.fromkeys(PARTS, 0))
        for part, value in fixed.items():
            line[part] += value
        line["saved"] += saves.of(batch)
        line["live"] = max(line["live"], alive.of(batch))
    if of.saved.blocks:
        label, again = heaviest_again(of, batch)
        found[f"{label} again"] = {"saved": again}
    total = {part: sum(line.get(part, 0) for line in found.values()) for part in SUMMED}
    total["live"] = of.inference.of(batch) - of.resident
    body = [(*level.cells(name), *map(line.get, PARTS)) for name, line in found.items()]
    columns = (*level.columns, *COLUMNS)
    table = Table("rows", "", columns, body, (*level.total(), *total.values()))
    total |= {"training": of.training.of(batch), "inference": of.inference.of(batch)}
    return table, total


def uses(of: Memory, total: dict[str, int], budget: int | None) -> Table:
    """Training and inference: the most that each takes; with a budget whether it fits, and the largest
    batch that does."""
    columns = [Column("use", "use"), Column("bytes", "at its peak", "bytes")]
    body = [("training", total["training"]), ("inference", total["inference"])]
    if budget is None:
        return Table("uses", "", columns, body)
    columns += [
        Column("fits", "fits", "verdict"),
        Column("largest_batch", "largest batch", "exact"),
    ]
    peaks = (of.training, of.inference)
    with_budget = [
        (use, peak, peak <= budget, peaks.largest_batch(budget))
        for (use, peak), peaks in zip(body, peaks, strict=True)
    ]
    return Table("uses", "", columns, with_budget)


def by_batch(rows: Sequence[Row], batches: Sequence[int]) -> Table:
    """A row for each batch: what autograd saves, what lives at inference, and the peaks of both."""
    needs = memory(rows, Settings())
    columns = (
        Column("batch", "batch", "exact"),
        Column("saved", "saved", "bytes"),
        Column("live", "live", "bytes"),
        Column("training", "training at its peak", "bytes"),
        Column("inference", "inference at its peak", "bytes"),
    )
    totals = [(batch, by_level(needs, batch)[1]) for batch in batches]
    body = [(batch, *(total[column.key] for column in columns[1:])) for batch, total in totals]
    return Table("batches", "Memory by batch, optimiser momentum, fp32", columns, body)
