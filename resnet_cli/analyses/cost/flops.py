"""Cost by stage, block, layer, module or operator; MACs and elementary operations apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from resnet_cli.analyses.cost.counts import macs_of, operations
from resnet_cli.analyses.levels import Level
from resnet_cli.tables import Column, Table
from resnet_cli.trace import Row


def measured(rows: Sequence[Row], macs: Mapping[str, int]) -> list[int]:
    """For each row the MACs that something else counted by module; of one's own rows the first that multiplies has them.

    Each keeps its own where they add up to what was counted.
    """
    places: dict[str, list[int]] = {}
    for at, row in enumerate(rows):
        path = row.path
        while path and path not in macs:
            path = path.rpartition(".")[0]
        places.setdefault(path, []).append(at)
    counted = [0] * len(rows)
    for path, own in places.items():
        count = macs.get(path, 0)
        if count == sum(rows[at].macs for at in own):
            for at in own:
                counted[at] = rows[at].macs
        else:
            counted[next((at for at in own if rows[at].macs), own[0])] = count
    return counted


def flops(
    rows: Sequence[Row], level: Level, unit: str, counted: Sequence[int] | None = None
) -> Table:
    """MACs (or FLOPs, two a MAC), other elementary operations and the share of MACs, by group.

    ``counted`` are other numbers in place of the rows' MACs. Groups stand in the order of execution;
    operators that cost nothing are left out.
    """
    groups: dict[str, tuple[int, int]] = {}
    for row, own in zip(rows, counted or macs_of(rows), strict=True):
        name = level.name(row)
        macs, others = groups.get(name, (0, 0))
        groups[name] = (macs + own, others + operations(row))
    if level.key == "operator":
        groups = {name: cost for name, cost in groups.items() if any(cost)}
    macs = sum(cost[0] for cost in groups.values())
    others = sum(cost[1] for cost in groups.values())
    keys = ("macs", "flops") if unit == "mac" else ("flops", "macs")
    titles = {"macs": "MACs", "flops": "FLOPs"}
    columns = (
        *level.columns,
        *(Column(key, titles[key], "count", drop=3 * at) for at, key in enumerate(keys)),
        Column("operations", "other operations", "count", drop=4),
        Column("share", "share", "share", drop=1),
        Column("bar", "", "bar", drop=9),
    )

    def line(names: tuple[object, ...], cost: tuple[int, int]) -> tuple[object, ...]:
        share = cost[0] / max(macs, 1)
        both = {"macs": cost[0], "flops": 2 * cost[0]}
        return (*names, *(both[key] for key in keys), cost[1], share, share)

    body = [line(level.cells(name), cost) for name, cost in groups.items()]
    total = (*line(level.total(), (macs, others))[:-1], None)
    return Table("operators" if level.key == "operator" else "rows", "", columns, body, total)


def words(rows: Iterable[Row]) -> str:
    """What "other operations" adds up, for the operators that are there."""
    beside: dict[str, None] = {}
    for row in rows:
        if row.layer.beside and operations(row):  # convolutions without a bias have none
            beside[f"{row.layer.operator} {row.layer.beside}"] = None
    return f"FLOPs: two a MAC; other operations: {', '.join(beside)}"
