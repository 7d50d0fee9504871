"""What a training step multiplies: forward, gradient of the input, gradient of the weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from resnet_cli.analyses.cost.flops import GROUPS
from resnet_cli.tables import Column, Table
from resnet_cli.trace import Row

COLUMNS = (
    Column("forward", "forward", "count"),
    Column("input_gradient", "input gradient", "count", drop=1),
    Column("weight_gradient", "weight gradient", "count", drop=2),
    Column("training", "training step", "count"),
)


class Cost(NamedTuple):
    """MACs of one layer, or of several, for one input."""

    forward: int = 0
    input_gradient: int = 0
    weight_gradient: int = 0

    def __add__(self, other: tuple[int, ...]) -> Cost:  # type: ignore[override]
        return Cost(*map(sum, zip(self, other, strict=True)))


def costs(rows: Sequence[Row]) -> list[Cost]:
    """Each row's MACs forward and backward.

    Every product w·x of the forward pass is met again as w·dy, in the gradient of x, and as x·dy,
    in that of w; so each gradient has as many MACs, whatever the stride and the groups. No gradient
    is taken of what nothing learned has had a part in: the network's input.
    """
    learned: list[bool] = []
    found = []
    for row in rows:
        before = any(at >= 0 and learned[at] for at in row.reads)
        learned.append(before or bool(row.layer.parameters()))
        found.append(Cost(row.macs, row.macs if before else 0, row.macs))
    return found


def training(rows: Sequence[Row], by: str) -> Table:
    """MACs of a training step by group; groups without any are left out."""
    groups: dict[str, Cost] = {}
    for row, cost in zip(rows, costs(rows), strict=True):
        name = GROUPS[by](row)
        groups[name] = groups.get(name, Cost()) + cost
    body = [(name, *cost, sum(cost)) for name, cost in groups.items() if any(cost)]
    whole = sum(groups.values(), Cost())
    return Table("rows", "", (Column(by, by), *COLUMNS), body, ("total", *whole, sum(whole)))
