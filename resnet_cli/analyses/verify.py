"""The trace beside counts by independent routes: equal or not, and where they first differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from resnet_cli.analyses import notation
from resnet_cli.analyses.cost import counts
from resnet_cli.tables import Column, Table
from resnet_cli.trace import Row


class Route(NamedTuple):
    """One way of counting: ``counted`` ("params" or "macs") of every module, by torch's path."""

    name: str
    counted: str
    by_path: Mapping[str, int]


def ours(rows: Sequence[Row], counted: str) -> dict[str, int]:
    """What the trace says of each path; layers without any are left out."""
    found: dict[str, int] = {}
    for row in rows:
        count = counts.parameters(row) if counted == "params" else row.macs
        if count:
            found[row.path] = found.get(row.path, 0) + count
    return found


def difference(rows: Sequence[Row], route: Route) -> str | None:
    """The first module that the route counts otherwise, in words; None when all are equal."""
    own = ours(rows, route.counted)
    for path in [*own, *(path for path in route.by_path if path not in own)]:
        mine, other = own.get(path, 0), route.by_path.get(path, 0)
        if mine != other:
            word = "MACs" if route.counted == "macs" else route.counted
            return f"{path} has {mine:,} {word} here, {other:,} by {route.name}: {mine - other:+,}"
    return None


def total(route: Route) -> int:
    """The route's sum over all modules."""
    return sum(route.by_path.values())


def by_stage(rows: Sequence[Row], routes: Sequence[Route]) -> Table:
    """A row a stage: parameters and MACs as traced, then by each route, and whether all agree."""
    columns = (
        Column("stage", "stage"),
        *(
            column
            for counted, title in (("params", "params"), ("macs", "MACs"))
            for column in (
                Column(counted, title, "exact"),
                *(Column(_key(r), r.name, "exact", drop=1) for r in routes if r.counted == counted),
            )
        ),
        Column("agrees", "agrees"),
    )
    lines = [
        _line(stage, [row for row in rows if row.stage == stage], routes)
        for stage in notation.stages([rows])
    ]
    return Table("rows", "", columns, lines, _line("total", rows, routes))


def _key(route: Route) -> str:
    return f"{route.counted}_{route.name}".replace(" ", "_")


def _line(name: str, rows: Sequence[Row], routes: Sequence[Route]) -> tuple[object, ...]:
    cells: list[object] = [name]
    agrees = True
    for counted in ("params", "macs"):
        own = ours(rows, counted)
        cells.append(sum(own.values()))
        for route in routes:
            if route.counted == counted:
                theirs = {path: route.by_path.get(path, 0) for path in own}
                cells.append(sum(theirs.values()))
                agrees = agrees and own == theirs
    return (*cells, "yes" if agrees else "no")
