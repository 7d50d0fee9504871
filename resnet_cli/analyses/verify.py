"""The rows beside counts by independent routes: equal or not, and where they first differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from resnet_cli.analyses import levels, notation
from resnet_cli.analyses.cost import counts
from resnet_cli.layers.arithmetic import Shape
from resnet_cli.tables import Column, Table
from resnet_cli.trace import Row


class Route(NamedTuple):
    """One way of counting: ``counted`` ("params" or "macs") of every module, by torch's path.

    ``checks`` is whether a number of its own is a mistake somewhere, and not just what it leaves out.
    """

    name: str
    counted: str
    by_path: Mapping[str, int]
    checks: bool = True


def ours(rows: Sequence[Row], counted: str) -> dict[str, int]:
    """What the rows say of each path; layers without any are left out."""
    counts_by_path: dict[str, int] = {}
    for row in rows:
        count = counts.parameters(row) if counted == "params" else row.macs
        if count:
            counts_by_path[row.path] = counts_by_path.get(row.path, 0) + count
    return counts_by_path


def nested(by_path: Mapping[str, int], modules: Sequence[str]) -> dict[str, int]:
    """Of each of these modules its count with all that is inside of it; "" is the network."""
    whole = dict.fromkeys(modules, 0)
    for path, count in by_path.items():
        while path:
            if path in whole:
                whole[path] += count
            path = path.rpartition(".")[0]
        whole[""] += count
    return whole


def difference(own: Mapping[str, int], route: Route) -> str | None:
    """The first module that the route counts otherwise, in words; None when all are equal."""
    for path in [*own, *(path for path in route.by_path if path not in own)]:
        mine, other = own.get(path, 0), route.by_path.get(path, 0)
        if mine != other:
            word = "MACs" if route.counted == "macs" else route.counted
            return (
                f"{path or 'the whole'} has {mine:,} {word} here, {other:,} by {route.name}: "
                f"{mine - other:+,}"
            )
    return None


def shape_difference(
    rows: Sequence[Row], ran: Sequence[tuple[str, Shape]], batch: int
) -> str | None:
    """The first module whose outputs in a run have other shapes than its rows, in words.

    Rows have shapes for one input of a ``batch``; a module that is no single row is not compared.
    """
    outputs: dict[str, list[Shape]] = {}
    for path, shape in ran:
        outputs.setdefault(path, []).append(shape)
    own: dict[str, list[Shape]] = {}
    for row in rows:
        own.setdefault(row.path, []).append(row.output)
    for path in own.keys() & outputs.keys():
        if len(own[path]) != len(outputs[path]):
            continue
        for one, other in zip(own[path], outputs[path], strict=True):
            if other not in (one, (batch, *one)):
                return f"{path} puts out {_written(one)} here, {_written(other)} in a run"
    return None


def _written(shape: Shape) -> str:
    return "×".join(map(str, shape)) or "one number"


def total(route: Route) -> int:
    """The route's sum over all modules."""
    return route.by_path[""] if "" in route.by_path else sum(route.by_path.values())


def by_stage(rows: Sequence[Row], routes: Sequence[Route]) -> Table:
    """A row a stage: parameters and MACs as traced, then by each route, and whether all agree."""
    lines = [
        _line(stage, [row for row in rows if row.stage == stage], routes)
        for stage in notation.stages([rows])
    ]
    columns = _columns(Column("stage", "stage"), routes)
    return Table("rows", "", columns, lines, _line("total", rows, routes))


def _columns(first: Column, routes: Sequence[Route]) -> tuple[Column, ...]:
    return (
        first,
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


def by_module(rows: Sequence[Row], routes: Sequence[Route], agreed: str) -> Table:
    """A row for each module, as deep as takes few lines; routes are `nested`, and have none where they know of none.

    ``agreed`` is what is said of all together, and of a module that no route counts otherwise.
    """
    name = levels.level(rows, "module", fold=False).name
    own = {counted: ours(rows, counted) for counted in ("params", "macs")}
    names = dict.fromkeys(map(name, rows))
    sums = {counted: nested(own[counted], [*names, ""]) for counted in own}

    def line(module: str, title: str) -> tuple[object, ...]:
        cells: list[object] = [title]
        agrees = True
        for counted in sums:
            mine = sums[counted][module]
            cells.append(mine)
            for route in routes:
                if route.counted == counted:
                    theirs = route.by_path.get(module)
                    cells.append(theirs)
                    agrees = agrees and (not route.checks or theirs in (mine, None))
        if not agrees:
            return (*cells, "no")
        return (*cells, agreed if agreed != "no" or not module else "yes")

    body = [
        line(module, module) for module in names if any(sums[counted][module] for counted in sums)
    ]
    return Table("rows", "", _columns(Column("module", "module"), routes), body, line("", "total"))
