"""What a training step multiplies: forward, gradient of the input, gradient of the weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from resnet_cli.analyses.levels import Level
from resnet_cli.tables import Column, Table
from resnet_cli.trace import INPUT, Row, learned

COLUMNS = (
    Column("forward", "forward", "count"),
    Column("input_gradient", "input gradient", "count", drop=1),
    Column("weight_gradient", "weight gradient", "count", drop=2),
    Column("training", "training step", "count"),
)


class Passes(NamedTuple):
    """MACs of one layer, or of several, for one input."""

    forward: int = 0
    input_gradient: int = 0
    weight_gradient: int = 0

    def __add__(self, other: tuple[int, ...]) -> Passes:  # type: ignore[override]
        return Passes(*map(sum, zip(self, other, strict=True)))


def costs(rows: Sequence[Row]) -> list[Passes]:
    """Each row's MACs forward and backward.

    No gradient is taken of what nothing learned has had a part in: the network's input.
    """
    had = learned(rows)
    passes = []
    for row in rows:
        wanted = [at > INPUT and had[at] for at in row.reads]
        backward = row.layer.gradients(row.inputs, row.output, wanted)
        passes.append(Passes(row.macs, *(row.times * macs for macs in backward)))
    return passes


def training(rows: Sequence[Row], level: Level) -> Table:
    """MACs of a training step by group; groups without any are left out."""
    groups: dict[str, Passes] = {}
    for row, cost in zip(rows, costs(rows), strict=True):
        name = level.name(row)
        groups[name] = groups.get(name, Passes()) + cost
    body = [(*level.cells(name), *cost, sum(cost)) for name, cost in groups.items() if any(cost)]
    whole = sum(groups.values(), Passes())
    return Table("rows", "", (*level.columns, *COLUMNS), body, (*level.total(), *whole, sum(whole)))
