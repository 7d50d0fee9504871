"""Stages, blocks or layers of several networks, each beside its namesake, and what differs in it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

from resnet_cli.analyses.compare.networks import change
from resnet_cli.analyses.cost import counts
from resnet_cli.networks import Network, distinct
from resnet_cli.tables import Column, Stack, Table
from resnet_cli.trace import Row

Key = TypeVar("Key", bound=Hashable)
LEVELS: dict[str, tuple[str, Callable[[Row], str]]] = {
    "stage": ("stage", lambda row: row.stage),
    "block": ("block", lambda row: row.label),
    "layer": ("path", lambda row: row.path),
}
"""For each level the key of its first column, and what a row is called there."""
COSTS = ("params", "macs")


class Line(NamedTuple):
    """A stage, block or layer; ``networks`` has each network's rows of it, None where it has none."""

    name: str
    networks: list[list[Row] | None]


def aligned(networks: Sequence[Network], level: str) -> list[Line]:
    """Every part of the networks once: stages and blocks by label, layers by path.

    A layer that runs several times has a line for each. What the first network does not have stands
    behind what it follows in the network that has it.
    """
    each = [_parts(network.rows, level) for network in networks]
    return [Line(key[0], [parts.get(key) for parts in each]) for key in merged(each)]


def _parts(rows: Iterable[Row], level: str) -> dict[tuple[str, int], list[Row]]:
    """The rows of each part, by its name and, of layers, how often that one ran before."""
    parts: dict[tuple[str, int], list[Row]] = {}
    ran: dict[str, int] = {}
    for row in rows:
        name = LEVELS[level][1](row)
        times = ran[name] = ran.get(name, -1) + 1
        parts.setdefault((name, times if level == "layer" else 0), []).append(row)
    return parts


def merged(orders: Iterable[Iterable[Key]]) -> list[Key]:
    """All keys, those of the first in its order; each further one behind the key that it follows.

    What nothing known precedes comes first, and last where nothing at all is known.
    """
    merged: list[Key] = []
    for keys in orders:
        known, last = {*merged}, None
        behind: dict[Key | None, list[Key]] = {}
        for key in keys:
            if key in known:
                last = key
            else:
                behind.setdefault(last, []).append(key)
        start = behind.pop(None, [])
        if last is None:
            merged += start
        else:
            merged = start + [each for key in merged for each in (key, *behind.get(key, ()))]
    return merged


def changes(a: Row, b: Row, wired: bool) -> dict[str, dict[str, Any]]:
    """What differs between two layers at one place: each reading with its value in ``a`` and in ``b``.

    Which rows they read is compared where the networks are ``wired`` so that it can be: with as many
    rows in both.
    """
    one, other = _readings(a, wired), _readings(b, wired)
    return {
        name: {"a": one.get(name), "b": other.get(name)}
        for name in one | other
        if one.get(name) != other.get(name)
    }


def _readings(row: Row, wired: bool) -> dict[str, Any]:
    return {
        "layer": row.layer.operator,
        **row.layer.fields(),
        "role": row.role,
        "shared": row.shared,
        "reads": row.reads if wired else None,
        "input": row.input if len(row.inputs) == 1 else row.inputs,
        "output": row.output,
    }


def difference(a: list[Row] | None, b: list[Row] | None, wired: bool) -> str | None:
    """only-a, only-b or changed; None where both are equal, or neither is there."""
    if a is None or b is None:
        return None if a is b else "only-b" if a is None else "only-a"
    alike = len(a) == len(b) and not any(map(changes, a, b, [wired] * len(a)))
    return None if alike else "changed"


def compared(networks: Sequence[Network], level: str, changed: bool) -> list[dict[str, Any]]:
    """JSON's stages, blocks or layers: a line for each, with every network's cost and its change.

    ``what`` says how a network's differs from the first one's, of layers ``differs`` each reading that
    does. With ``changed`` those that are equal everywhere are left out.
    """
    names, (first, *_) = distinct(networks), networks
    lines = []
    for name, parts in aligned(networks, level):
        costs = [_costs(rows) for rows in parts]
        cells = []
        for at, (network, rows, cost) in enumerate(zip(networks, parts, costs, strict=True)):
            wired = len(network.rows) == len(first.rows)
            cell: dict[str, Any] = {"name": names[at], **cost}
            for key in COSTS:
                changed_by = change(costs[0][key], cost[key])
                cell |= {f"{what}_{key}": number for what, number in changed_by.items()}
            cell["what"] = difference(parts[0], rows, wired)
            if level == "layer":
                both = parts[0] and rows
                cell["differs"] = changes(parts[0][0], rows[0], wired) if both else {}
            cells.append(cell)
        if not changed or any(cell["what"] for cell in cells):
            lines.append({LEVELS[level][0]: name, "networks": cells})
    return lines


def _costs(rows: list[Row] | None) -> dict[str, int | None]:
    if rows is None:
        return dict.fromkeys(COSTS)
    return {"params": sum(counts.parameters_of(rows)), "macs": counts.macs(rows)}


def table(lines: Sequence[dict[str, Any]], level: str) -> Table:
    """Two networks' `compared` as a table."""
    key = LEVELS[level][0]
    costs = [
        column
        for drop, (cost, title) in enumerate((("params", "params"), ("macs", "MACs")))
        for column in (
            Column(f"a_{cost}", f"A {title}", "count", drop=6 + drop),
            Column(f"b_{cost}", f"B {title}", "count", drop=4 + drop),
            Column(f"delta_{cost}", f"Δ {title}", "+count"),
            Column(f"ratio_{cost}", "ratio", "times", drop=2 + drop),
        )
    ]
    last = Column("differs", "what differs", "mixed", drop=1)
    if level != "layer":
        last = Column("what", "", drop=9)
    body = []
    for line in lines:
        a, b = line["networks"]
        cells = [
            cell
            for cost in COSTS
            for cell in (a[cost], b[cost], b[f"delta_{cost}"], b[f"ratio_{cost}"])
        ]
        body.append((line[key], *cells, _words(b) if level == "layer" else b["what"]))
    return Table(f"{level}s", f"By {level}", (Column(key, key), *costs, last), body)


def _words(cell: dict[str, Any]) -> Stack | str | None:
    """What differs in a layer; its shapes only where nothing else does."""
    differs: dict[str, dict[str, Any]] = cell["differs"]
    shapes = ("input", "output")
    names = [name for name in differs if name not in shapes] or [*differs][:1]
    parts = [
        f"{name.replace('_', ' ')} {_text(differs[name]['a'])} → {_text(differs[name]['b'])}"
        for name in names
    ]
    return Stack((*parts,)) if parts else cell["what"]


def _text(value: Any) -> str:
    if value is None or value == ():
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        between = "×" if all(isinstance(each, int) for each in value) else ", "
        return between.join(map(_text, value))
    return str(value)


def side_by_side(lines: Sequence[dict[str, Any]], level: str, names: Sequence[str]) -> Table:
    """Several networks' `compared` as a table: parameters and MACs of each."""
    key = LEVELS[level][0]
    columns = [Column(key, key)]
    for at, name in enumerate(names):
        columns += [
            Column(f"{name}.params", f"{name} params", "count", drop=2 * at),
            Column(f"{name}.macs", f"{name} MACs", "count", drop=2 * at + 1),
        ]
    body = [
        (line[key], *(cell[cost] for cell in line["networks"] for cost in COSTS)) for line in lines
    ]
    return Table(f"{level}s", f"By {level}", columns, body)
