"""The same network by the rules of other tools, and the ledger from our MACs to what they print."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from resnet_cli.analyses import published
from resnet_cli.analyses.cost.counts import macs as macs_of
from resnet_cli.analyses.cost.terms import PER, RULES, by_name, rule_name, steps, words
from resnet_cli.designs import zoo
from resnet_cli.designs.fields import differences
from resnet_cli.errors import UserError
from resnet_cli.layers.uncounted import Uncounted
from resnet_cli.networks import Network, of_spec
from resnet_cli.published import Figure
from resnet_cli.published.conventions import Convention
from resnet_cli.tables import Column, Stack, Table
from resnet_cli.trace import Row


def missing(convention: Convention, rows: Iterable[Row]) -> list[str]:
    """The operators of which it is not known how the tool counts them, or that nobody has described."""
    names = {rule_name(row): isinstance(row.layer, Uncounted) for row in rows}
    return [name for name, hidden in names.items() if hidden or not convention.knows(name)]


def unknown(convention: Convention, network: Network) -> list[str]:
    """What is not known of how the tool counts a network: its operators, and how others' code runs them.

    A tool that looks at modules does not see what is computed outside of those that torch has, and of an
    .onnx without norms nobody knows whether its module has them.
    """
    rows = network.rows
    names = missing(convention, rows)
    if network.spec is not None or not convention.version:
        return names
    terms = {term.layer for term in convention.terms}
    if convention.sees == "modules":
        outside = dict.fromkeys(
            f"{rule_name(row)} in no module of torch.nn"
            for row in rows
            if (row.macs or rule_name(row) in terms) and not _is_torchs(row, network)
        )
        names += [name for name in outside if name.partition(" in no ")[0] not in names]
    normed = any(rule_name(row) == NORM for row in rows)
    if network.origin.kind == "onnx" and not normed and terms & {NORM, "convolution"}:
        names.append("norms that may be folded into convolutions")
    return names


NORM = "batch norm"


def _is_torchs(row: Row, network: Network) -> bool:
    """Whether a row is a module of the class that torch has for its layer."""
    try:
        return network.classes.get(row.path) == row.layer.module().name
    except NotImplementedError:  # torch may have one, of other arguments
        return False


def check(names: Sequence[str], convention: Convention) -> None:
    """Raises `UserError` (exit 1) for what the tool's rule is not known for."""
    if names:
        raise UserError(
            f"it is not known how {convention.tool} counts: {', '.join(names)}",
            "flops --reconcile shows the conventions that are known for this network",
            1,
        )


def recounted(convention: Convention, rows: Sequence[Row]) -> list[int]:
    """For each row this convention's count, to stand in place of its MACs.

    Raises `UserError` (exit 1) for an operator that the tool's rule is not known for.
    """
    check(missing(convention, rows), convention)
    counts = []
    for row in rows:
        name = rule_name(row)
        beside = sum(t.times * PER[t.per].of(row) for t in convention.terms if t.layer == name)
        counts.append(convention.macs * row.macs + beside)
    return counts


def count(convention: Convention, rows: Sequence[Row]) -> int:
    """What the tool prints for these rows, one input. Raises as `recounted`."""
    return sum(recounted(convention, rows))


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


def in_words(convention: Convention, rows: Iterable[Row]) -> str:
    """`FLOPs as torchlens 2.36.1 counts: 2 a MAC; batch norm, 5 an element; ...`, for the layers there are."""
    names = {*map(rule_name, rows)}
    terms = [f"{convention.macs} a MAC"]
    terms += [
        f"{'minus ' if term.times < 0 else ''}{words(term)}"
        for term in convention.terms
        if term.layer in names
    ]
    return f"{convention.unit} as {convention.tool} counts: {'; '.join(terms)}"


COLUMNS = (
    Column("name", "convention"),
    Column("counted", "prints", "exact"),
    Column("unit", "unit"),
    Column("ledger", "ledger", "mixed"),
    Column("checked", "checked", drop=1),
    Column("tool", "tool", drop=2),
    Column("remark", "remark", drop=3),
)


class Line(NamedTuple):
    """One convention for one network: ``factor`` · our MACs + the ``steps`` = ``counted``.

    ``counted`` is None where the tool's rule is not known for the operators ``missing``.
    """

    name: str
    counted: int | None
    unit: str
    factor: int
    steps: list[tuple[str, int]]
    printed: str = ""
    checked: str = ""
    tool: str = ""
    remark: str = ""
    missing: Sequence[str] = ()


def by_tools(network: Network, known: Iterable[Convention]) -> list[Line]:
    """A line for each convention; ``checked`` says whether the tool itself was run on this network."""
    lines = []
    macs, named = macs_of(network.rows), by_name(network.rows)
    listed = network.spec is not None and zoo.is_listed(network.spec)
    for rule in known:
        added = steps(rule.terms, named)
        not_known = unknown(rule, network)
        counted = None if not_known else rule.macs * macs + sum(number for _, number in added)
        ran = listed and not not_known and rule.was_run_on(network.name)
        checked = "yes" if ran else "not run"
        lines.append(
            Line(
                rule.name, counted, rule.unit, rule.macs, added,
                checked=checked if rule.version else "", tool=rule.tool, remark=rule.remark,
                missing=not_known,
            )
        )  # fmt: skip
    return lines


def by_papers(network: Network, figures: Iterable[Figure]) -> list[Line]:
    """A line for each cost that a paper prints of this network, or of it with its strides as v1.

    Where the figure holds for such a variant the ledger begins with what that changes.
    """
    spec = network.spec
    if spec is None:
        return []
    costs = [figure for figure in figures if figure.quantity == "flops" and figure.counts]
    of_network = published.counted(spec, costs)
    if getattr(spec, "style", "") == "v1.5":
        of_network += published.counted(zoo.changed(spec, style="v1"), costs)
    lines = []
    for figure, ours in of_network:
        if ours is None:
            continue
        held = published.described(figure.network, figure.overrides) or spec
        theirs = of_spec(held).rows
        added = [(", ".join(differences(spec, held)), macs_of(theirs) - macs_of(network.rows))]
        added = [step for step in added if step[0]]
        added += steps(RULES[figure.counts].terms, by_name(theirs))
        place = f"{figure.source}, {figure.table}"
        printed = f"{figure.printed} {figure.unit}".rstrip()
        agrees = published.agreement(ours, figure.printed, figure.unit)
        lines.append(Line(place, ours, "MACs", 1, added, printed, agrees, "", figure.remark))
    return [line for at, line in enumerate(lines) if line not in lines[:at]]


def reconcile(lines: Iterable[Line], macs: int) -> Table:
    """What each convention counts, with the ledger that leads there from our MACs."""
    body = [
        (line.name, line.counted, line.unit, _ledger(line, macs), line.checked, line.tool, line.remark)
        for line in lines
    ]  # fmt: skip
    return Table("rows", "", COLUMNS, body)


def _ledger(line: Line, macs: int) -> Stack | str:
    if line.missing:
        return f"not known: {', '.join(line.missing)}"
    added = [f"{macs:,} MACs" if line.factor == 1 else f"{line.factor} × {macs:,} MACs"]
    added += [f"{'-' if number < 0 else '+'} {abs(number):,} {name}" for name, number in line.steps]
    return Stack((*added, *([f"printed as {line.printed}"] if line.printed else [])))


def ledgers(lines: Iterable[Line], macs: int) -> list[dict[str, Any]]:
    """JSON's "ledgers": factor · macs + the counts of the terms = counted, null where one is missing."""
    return [
        {
            "name": line.name,
            "factor": line.factor,
            "macs": macs,
            "terms": [{"term": name, "count": number} for name, number in line.steps],
            "counted": line.counted,
            "missing": list(line.missing),
        }
        for line in lines
    ]
