"""Stages, blocks, layers, ... of several networks, each beside its namesake, and what differs in it."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

from resnet_cli.analyses.compare.networks import change
from resnet_cli.analyses.cost import counts
from resnet_cli.analyses.levels import Level, level
from resnet_cli.networks import Network, distinct
from resnet_cli.tables import Column, Stack, Table
from resnet_cli.trace import Row

Key = TypeVar("Key", bound=Hashable)
COSTS = ("params", "macs")


class Line(NamedTuple):
    """A stage, block, layer, ...; ``networks`` has each network's rows of it, None where it has none."""

    name: str
    networks: list[list[Row] | None]


def common(networks: Sequence[Network], asked: str | int) -> Level:
    """The `level` that is asked for, or modules where one of the networks has no such."""
    notes = dict.fromkeys(
        note for network in networks for note in level(network.rows, asked, fold=False).notes
    )
    rows = [row for network in networks for row in network.rows]
    return level(rows, "module" if notes else asked, fold=False)._replace(notes=(*notes,))


def aligned(networks: Sequence[Network], by: Level) -> list[Line]:
    """Every part of the networks once: stages and blocks by label, layers and modules by path.

    A layer that runs several times has a line for each. What the first network does not have stands
    behind what it follows in the network that has it.
    """
    each = [_parts(network.rows, by) for network in networks]
    return [Line(key[0], [parts.get(key) for parts in each]) for key in merged(each)]


def _parts(rows: Iterable[Row], by: Level) -> dict[tuple[str, int], list[Row]]:
    """The rows of each part, by its name and, of layers, how often that one ran before."""
    parts: dict[tuple[str, int], list[Row]] = {}
    ran: dict[str, int] = {}
    for row in rows:
        name = by.name(row)
        times = ran[name] = ran.get(name, -1) + 1
        parts.setdefault((name, times if by.key == "layer" else 0), []).append(row)
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


def compared(networks: Sequence[Network], by: Level, changed: bool) -> list[dict[str, Any]]:
    """JSON's stages, blocks, layers, ...: a line for each, with every network's cost and its change.

    ``what`` says how a network's differs from the first one's, of layers ``differs`` each reading that
    does. With ``changed`` those that are equal everywhere are left out.
    """
    names, sizes = distinct(networks), [len(network.rows) for network in networks]
    lines = []
    for name, parts in aligned(networks, by):
        first, cells = parts[0], []
        costs = [_costs(rows) for rows in parts]
        for own_name, size, rows, cost in zip(names, sizes, parts, costs, strict=True):
            cell: dict[str, Any] = {"name": own_name, **cost}
            for key in COSTS:
                changed_by = change(costs[0][key], cost[key])
                cell |= {f"{what}_{key}": number for what, number in changed_by.items()}
            wired = size == sizes[0]
            cell["what"] = difference(first, rows, wired)
            if by.key == "layer":
                cell["differs"] = changes(first[0], rows[0], wired) if first and rows else {}
            cells.append(cell)
        if not changed or any(cell["what"] for cell in cells):
            lines.append({_key(by): name, "networks": cells})
    return lines


def _key(by: Level) -> str:
    return "path" if by.key == "layer" else by.key


def _costs(rows: list[Row] | None) -> dict[str, int | None]:
    if rows is None:
        return dict.fromkeys(COSTS)
    return {"params": sum(counts.parameters_of(rows)), "macs": counts.macs(rows)}


def table(lines: Sequence[dict[str, Any]], by: Level, names: Sequence[str]) -> Table:
    """Two networks' `compared` as a table."""
    key = _key(by)
    costs = [
        column
        for cost, title in (("params", "params"), ("macs", "MACs"))
        for column in (
            Column(f"a_{cost}", f"{names[0]} {title}", "count"),
            Column(f"b_{cost}", f"{names[1]} {title}", "count"),
            Column(f"delta_{cost}", f"Δ {title}", "+count"),
            Column(f"ratio_{cost}", "ratio", "times", drop=1),
        )
    ]
    last = Column("differs", "what differs", "mixed")
    if by.key != "layer":
        last = Column("what", "what", drop=1)
    body = []
    for line in lines:
        a, b = line["networks"]
        cells = [
            cell
            for cost in COSTS
            for cell in (a[cost], b[cost], b[f"delta_{cost}"], b[f"ratio_{cost}"])
        ]
        body.append((line[key], *cells, _words(b) if by.key == "layer" else b["what"]))
    return Table(f"{by.key}s", f"By {by.key}", (Column(key, key), *costs, last), body)


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


def side_by_side(lines: Sequence[dict[str, Any]], by: Level, names: Sequence[str]) -> Table:
    """Several networks' `compared` as a table: parameters and MACs of each."""
    key = _key(by)
    columns = [Column(key, key)]
    for name in names:
        columns += [
            Column(f"{name}.params", f"{name} params", "count"),
            Column(f"{name}.macs", f"{name} MACs", "count"),
        ]
    body = [
        (line[key], *(cell[cost] for cell in line["networks"] for cost in COSTS)) for line in lines
    ]
    return Table(f"{by.key}s", f"By {by.key}", columns, body)
