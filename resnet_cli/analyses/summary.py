"""The architecture by stage, block or layer, with parameters and MACs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from resnet_cli.analyses import notation
from resnet_cli.analyses.cost import counts
from resnet_cli.analyses.levels import Level
from resnet_cli.tables import Column, Stack, Table
from resnet_cli.trace import Row

COSTS = (
    Column("params", "params", "count"),
    Column("macs", "MACs", "count"),
    Column("share", "share", "share", drop=4),
)

MOST_RUNS = 3
"""So many runs of unlike blocks are read at a glance, in a stage."""

SHAPE = (
    Column("output", "output", "shape", drop=5),
    Column("architecture", "architecture"),
)


def summary(
    rows: Sequence[Row],
    level: Level,
    counted: Sequence[int] | None = None,
    classes: Mapping[str, str] = {},
) -> Table:
    """A line for each stage, block, layer, ...; the total adds up parameters and MACs.

    ``counted`` are other numbers in place of the rows' MACs, ``classes`` the modules' by path.
    """
    costs = counted or counts.macs_of(rows)
    params = counts.parameters_of(rows)
    whole = max(sum(costs), 1)
    if level.key == "layer":
        return _layers(rows, params, costs, ("total", sum(params), sum(costs)), whole)
    groups: dict[str, list[tuple[Row, int, int]]] = {}
    for line in zip(rows, params, costs, strict=True):
        groups.setdefault(level.name(line[0]), []).append(line)
    shaped = level.key != "operator"  # an operator stands in many places
    body = []
    parts = {name: [row for row, *_ in group] for name, group in groups.items()}
    by_class = _by_class(parts, classes) if level.key == "stage" and classes else {}
    for name, group in groups.items():
        members, held, each = zip(*group, strict=True)
        where: tuple[object, ...] = ()
        if shaped:
            made_of = by_class.get(name) or described(name, members, level, classes)
            where = (members[-1].output, made_of)
        body.append((*level.cells(name), *where, sum(held), sum(each), sum(each) / whole))
    columns = (*level.columns, *(SHAPE if shaped else ()), *COSTS)
    end = (*level.total(), *[None for _ in SHAPE if shaped], sum(params), sum(costs), 1.0)
    return Table("rows", "", columns, body, end)


def described(
    name: str, rows: Sequence[Row], level: Level, classes: Mapping[str, str]
) -> Stack | str:
    """What a line is made of: a module its class where that is known, layers themselves."""
    if level.key == "block":
        return _block(rows)
    if level.key != "module":
        return notation.stage(rows)
    if name in level.modules and (name in classes or notation.stage(rows).parts):
        return classes.get(name) or notation.stage(rows)
    once = rows[: len(rows) // level.times.get(name, 1)]
    return notation.layers(once)


def _by_class(
    stages: Mapping[str, Sequence[Row]], classes: Mapping[str, str]
) -> Mapping[str, Stack]:
    """The body's stages by their modules' classes, where their layers would be too long to read."""
    body = {name: rows for name, rows in stages.items() if rows[0].part == "body"}
    if all(len(notation.stage(rows).parts) <= MOST_RUNS for rows in body.values()):
        return {}
    return {name: notation.units(rows, classes, stages.keys()) for name, rows in body.items()}


def _block(rows: Sequence[Row]) -> Stack:
    if rows[0].block is None:
        return notation.stage(rows)
    return Stack((notation.block(rows, beside=notation.shortcut(rows)),))


def _layers(
    rows: Sequence[Row],
    params: Sequence[int],
    costs: Sequence[int],
    total: tuple[Any, ...],
    whole: int,
) -> Table:
    columns = (
        Column("path", "path"),
        Column("block", "block", drop=6),
        Column("layer", "layer"),
        Column("kernel", "kernel", "count", drop=2),
        Column("stride", "stride", "count", drop=3),
        Column("padding", "pad", "count", drop=5),
        Column("dilation", "dilation", "count", drop=7),
        Column("groups", "groups", "count", drop=7),
        Column("input", "input", "shape", drop=8),
        Column("output", "output", "shape", drop=1),
        *COSTS,
    )
    body = [
        (row.path, row.label, row.layer.operator, *(row.layer.window or (None, None, None)),
         row.layer.dilation if row.layer.window else None, getattr(row.layer, "groups", None), row.input, row.output, held, cost, cost / whole)
        for row, held, cost in zip(rows, params, costs, strict=True)
    ]  # fmt: skip
    end = (total[0], *[None] * 9, *total[1:], 1.0)
    return Table("rows", "", columns, body, end)
