"""The same network by the rules of other tools, and the ledger from our MACs to what they print."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import prod
from typing import Any, NamedTuple

from resnet_cli.analyses import published
from resnet_cli.analyses.cost.counts import parameters
from resnet_cli.designs import zoo
from resnet_cli.layers import AdaptiveAvgPool2d
from resnet_cli.published import Figure
from resnet_cli.published.conventions import Convention, Term
from resnet_cli.tables import Column, Table
from resnet_cli.trace import Row, trace


def _windows(row: Row) -> int:
    """The elements that all windows of a pool hold together; adaptive ones may overlap."""
    if not isinstance(row.layer, AdaptiveAvgPool2d):
        return prod(row.input)  # cut at the border and side by side: each element once
    (channels, *sides), size = row.input, row.layer.size
    return channels * prod(
        sum(-(-(at + 1) * side // size) - at * side // size for at in range(size)) for side in sides
    )


def _mean(row: Row) -> int:
    """An addition an input and a division an output, with thop's floating-point average window."""
    outputs = prod(row.output)
    ratio = 1.0
    for before, after in zip(row.input[1:], row.output[1:], strict=True):
        ratio *= before / after
    return int((ratio + 1) * outputs)


class Per(NamedTuple):
    """What a term counts of a layer: in words, to be filled in, and as a number."""

    words: str
    of: Callable[[Row], int]


def _biased(row: Row) -> bool:
    return "bias" in row.layer.parameters()


PER = {
    "mac": Per("{layer}, {times} a MAC", lambda row: row.macs),
    "element": Per("{layer}, {times} an element", lambda row: prod(row.output)),
    "input": Per("{layer}, {times} an input", lambda row: prod(row.input)),
    "output": Per("{layer}, {times} an output", lambda row: prod(row.output)),
    "window": Per("{layer}, {times} a pooled value", _windows),
    "mean": Per("{layer}, {times} an input and an output", _mean),
    "side": Per("{layer} k×k, {times}·k an output", lambda r: r.layer.window[0] * prod(r.output)),
    "parameter": Per("{layer}, {times} a parameter", parameters),
    "bias": Per("{layer} bias, {times} an output", lambda r: prod(r.output) if _biased(r) else 0),
    "channel": Per("{layer} bias, {times} a channel", lambda r: r.output[0] if _biased(r) else 0),
}
"""What a term may be counted by, under the names of conventions.csv."""

BESIDE = {
    "macs": (),
    "macs of convolutions": (Term(-1, "linear", "mac"),),
    "macs, additions and gates": (
        Term(1, "addition", "element"),
        Term(1, "scale", "element"),
        Term(1, "gate's pool", "input"),
    ),
}
"""What the rules of `published.COUNTS` have beside MACs."""


def _kind(row: Row) -> str:
    return "adaptive pool" if isinstance(row.layer, AdaptiveAvgPool2d) else row.layer.kind


def recounted(convention: Convention, rows: Iterable[Row]) -> list[Row]:
    """The rows with this convention's count in place of their MACs: any table then uses it."""
    found = []
    for row in rows:
        kind = _kind(row)
        beside = sum(t.times * PER[t.per].of(row) for t in convention.terms if t.layer == kind)
        found.append(row._replace(macs=convention.macs * row.macs + beside))
    return found


def count(convention: Convention, rows: Iterable[Row]) -> int:
    """What the tool prints for these rows, one input."""
    return _macs(recounted(convention, rows))


def named(convention: Convention, table: Table) -> Table:
    """A table of recounted rows, its MACs named as the tool names them, without FLOPs and the like.

    FLOPs of two a MAC and "other operations" would count twice what the convention has counted.
    """
    kept = [at for at, c in enumerate(table.columns) if c.key not in ("flops", "operations")]
    column = {"macs": Column("counted", f"{convention.unit} ({convention.name})", "count")}

    def cut(row: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(row[at] for at in kept)

    return table._replace(
        columns=[column.get(c.key, c) for c in cut(table.columns)],
        rows=[cut(row) for row in table.rows],
        total=table.total and cut(table.total),
    )


def words(convention: Convention) -> str:
    """`FLOPs as torchlens 2.36.1 counts: 2 a MAC, batch norm 5 an element, ...`."""
    terms = [f"{convention.macs} a MAC", *map(_words, convention.terms)]
    return f"{convention.unit} as {convention.tool} counts: {'; '.join(terms)}"


def _words(term: Term) -> str:
    return PER[term.per].words.format(layer=term.layer, times=abs(term.times))


COLUMNS = (
    Column("name", "convention"),
    Column("counted", "prints", "exact"),
    Column("unit", "unit", drop=1),
    Column("ledger", "ledger", "stack"),
    Column("checked", "checked", drop=2),
    Column("tool", "tool", drop=3),
    Column("remark", "remark", drop=4),
)


class Line(NamedTuple):
    """One convention for one network: ``factor`` · our MACs + the ``steps`` = ``counted``."""

    name: str
    counted: int
    unit: str
    factor: int
    steps: list[tuple[str, int]]
    printed: str
    checked: str
    tool: str
    remark: str


def by_tools(spec: zoo.Spec, rows: Sequence[Row], known: Iterable[Convention]) -> list[Line]:
    """A line a convention; ``checked`` says whether the tool itself was run on this network."""
    lines = []
    macs, kinds, listed = _macs(rows), _kinds(rows), zoo.is_listed(spec)
    for rule in known:
        steps = _steps(rule.terms, kinds)
        counted = rule.macs * macs + sum(number for _, number in steps)
        checked = "yes" if listed and rule.was_run_on(spec.name) else "not run"
        lines.append(
            Line(
                rule.name, counted, rule.unit, rule.macs, steps, "",
                checked if rule.version else "", rule.tool, rule.remark,
            )
        )  # fmt: skip
    return lines


def by_papers(spec: zoo.Spec, rows: Sequence[Row], figures: Iterable[Figure]) -> list[Line]:
    """A line for each cost that a paper prints of this network, or of it with its strides as v1.

    Where the figure holds for such a variant the ledger begins with what that changes.
    """
    costs = [figure for figure in figures if figure.quantity == "flops" and figure.counts]
    found = published.counted(spec, costs)
    if getattr(spec, "style", "") == "v1.5":
        found += published.counted(zoo.changed(spec, style="v1"), costs)
    lines = []
    for figure, ours in found:
        assert ours is not None
        held = zoo.changed(zoo.find(figure.network), **figure.changes())
        theirs = trace(held.net(), held.input_shape)
        steps = [(", ".join(_changes(spec, held)), _macs(theirs) - _macs(rows))]
        steps = [step for step in steps if step[0]] + _steps(BESIDE[figure.counts], _kinds(theirs))
        place = f"{figure.source}, {figure.table}"
        printed = f"{figure.printed} {figure.unit}".rstrip()
        agrees = published.agreement(ours, figure.printed, figure.unit)
        lines.append(Line(place, ours, "MACs", 1, steps, printed, agrees, "", figure.remark))
    return lines


def _macs(rows: Iterable[Row]) -> int:
    return sum(row.macs for row in rows)


def _changes(spec: zoo.Spec, held: zoo.Spec) -> list[str]:
    """The fields that the other network has otherwise: `style v1`, `shortcut A`."""
    return [
        f"{field.replace('_', ' ')} {getattr(held, field)}"
        for field in spec.__dataclass_fields__
        if field not in ("name", "family") and getattr(held, field) != getattr(spec, field)
    ]


def _kinds(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Rows by the kind of layer that terms name."""
    kinds: dict[str, list[Row]] = {}
    for row in rows:
        kinds.setdefault(_kind(row), []).append(row)
    kinds["gate's pool"] = [row for row in kinds.get("adaptive pool", ()) if row.role == "gate"]
    return kinds


def _steps(terms: Iterable[Term], kinds: dict[str, list[Row]]) -> list[tuple[str, int]]:
    """What each term adds, in words and as a number; those that add nothing are left out."""
    found = [(_words(t), t.times * sum(map(PER[t.per].of, kinds.get(t.layer, ())))) for t in terms]
    return [step for step in found if step[1]]


def reconcile(lines: Iterable[Line], macs: int) -> Table:
    """What each convention counts, with the ledger that leads there from our MACs."""
    body = [
        (line.name, line.counted, line.unit, _ledger(line, macs), line.checked, line.tool, line.remark)
        for line in lines
    ]  # fmt: skip
    return Table("rows", "", COLUMNS, body)


def _ledger(line: Line, macs: int) -> str:
    steps = [f"{macs:,} MACs" if line.factor == 1 else f"{line.factor} × {macs:,} MACs"]
    steps += [f"{'-' if number < 0 else '+'} {abs(number):,} {name}" for name, number in line.steps]
    return "; ".join([*steps, *([f"printed as {line.printed}"] if line.printed else [])])


def ledgers(lines: Iterable[Line], macs: int) -> list[dict[str, Any]]:
    """JSON's "ledgers": factor · macs + the counts of the terms = counted."""
    return [
        {
            "name": line.name,
            "factor": line.factor,
            "macs": macs,
            "terms": [{"term": name, "count": number} for name, number in line.steps],
            "counted": line.counted,
        }
        for line in lines
    ]
