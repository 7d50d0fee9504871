"""CSV: a list of JSON's as a table of raw values that goes below any other network's."""

from __future__ import annotations

from collections.abc import Mapping
from io import StringIO
from typing import Any

from resnet_cli.errors import UserError, did_you_mean, printable
from resnet_cli.render.tables.data import FOR_PEOPLE, document
from resnet_cli.tables import Answer, Stack

FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a cell begins with that is run; the last four where East Asian text is usual."""

Line = dict[str, Any]


def render(answer: Answer, table_key: str | None = None, notes: bool = False) -> str:
    """The answer's rows, or its list called ``table_key``: a line for each thing, without totals.

    Columns are `network`, `table`, the list's own, `convention` (by whose rule is counted) and
    `uncounted` (how many operations are not); ``notes`` adds the answer's, the same on each line. A
    text that a spreadsheet would run as a formula begins with an apostrophe. Raises `UserError` for a
    key that the answer does not have.
    """
    import csv

    whole = document(answer)
    key = _main(whole, answer) if table_key is None else table_key
    things, kinds = _things(whole, key), _kinds(answer, key)
    lines = [line for thing in things for line in _lines(thing, kinds)]
    columns = dict.fromkeys(column for line in lines for column in line) or dict.fromkeys(kinds)
    subject = _subject(whole, things, columns)
    parted = {name for thing in things for name, value in thing.items() if _objects(value)}
    own = [column for column in columns if column != subject and column not in parted]
    title = next((table.title for table in answer.tables if table.key == key), None)
    beside = {"notes": "; ".join(answer.notes)} if notes else {}
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    shown = [f"{key}_{column}" if column == "network" else column for column in own]
    writer.writerow(map(_cell, ["network", "table", *shown, "convention", "uncounted", *beside]))
    for line in lines:
        network = line[subject] if subject else _network(whole) or title
        cells = [
            network,
            key,
            *map(line.get, own),
            _convention(whole, line),
            _uncounted(whole, network),
        ]
        writer.writerow(map(_cell, [*cells, *beside.values()]))
    return out.getvalue()


def _main(whole: dict[str, Any], answer: Answer) -> str:
    """The rows, or the first table's list where there is none of them."""
    return answer.tables[0].key if answer.tables and not whole.get("rows") else "rows"


def _things(whole: dict[str, Any], key: str) -> list[Any]:
    """The list of that key, one of objects."""
    lists = {
        name: value
        for name, value in whole.items()
        if name != "notes"
        and isinstance(value, list)
        and all(isinstance(v, Mapping) for v in value)
    }
    if key not in lists:
        known = f"this answer has {', '.join(lists)}"
        guess = did_you_mean(key, lists)
        raise UserError(f"no table named {key[:40]!r}", f"{guess}? {known}" if guess else known)
    return lists[key]


def _kinds(answer: Answer, key: str) -> dict[str, str]:
    """The columns of the table of that key, with their kinds."""
    columns = (column for table in answer.tables if table.key == key for column in table.columns)
    return {column.key: column.kind for column in columns if column.kind not in FOR_PEOPLE}


def _lines(thing: Mapping[str, Any], kinds: Mapping[str, str]) -> list[Line]:
    """An object as a line, or as one for each object of a list in it; one in it as columns of its own."""
    lines: list[Line] = [{}]
    for key, value in thing.items():
        if _objects(value):
            parts = [part for each in value for part in _lines(each, {})]
        elif isinstance(value, Mapping):
            parts = [{f"{key}_{name}": each for name, each in _lines(value, {})[0].items()}]
        elif kinds.get(key) == "range" and value:
            parts = [{f"{key}_least": value[0], f"{key}_most": value[1]}]
        elif kinds.get(key) == "estimate" and value:
            parts = [{key: value[0], f"{key}_error": (*value, None)[1]}]
        else:
            parts = [{key: _joined(value, "-" if kinds.get(key) == "numbers" else "x")}]
        lines = [
            line | {f"{key}_{name}" if name in line else name: each for name, each in part.items()}
            for line in lines
            for part in parts
        ]
    return lines


def _objects(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)


def _joined(value: Any, between: str) -> Any:
    """Whole numbers as 3x224x224 or 3-4-6-3, a list of anything else with semicolons."""
    if not isinstance(value, list | tuple):
        return value
    if not all(isinstance(each, int) for each in value):
        between = "; "
    return between.join(map(str, value))


def _subject(whole: dict[str, Any], things: list[Any], own: Mapping[str, Any]) -> str | None:
    """The column that names each line's network; None where the whole answer is about one."""
    if things and all(isinstance(thing.get("network"), str) for thing in things):
        return "network"
    one = "model" in whole or "file" in whole
    return "name" if "name" in own and not one else None


def _network(whole: dict[str, Any]) -> str | None:
    """What the answer is about; a weight file where its network has no name."""
    return whole.get("model") or whole.get("network") or whole.get("file")


def _convention(whole: dict[str, Any], line: Line) -> str:
    """By whose rule a line is counted; the lines of `flops --reconcile` have one each."""
    if "ledgers" in whole:
        return str(line.get("name", "papers"))
    rule, engine = whole.get("convention"), whole.get("engine", "trace")
    return str(rule["name"]) if rule else "papers" if engine == "trace" else str(engine)


def _uncounted(whole: dict[str, Any], network: str | None) -> int | None:
    """How many operations of the network nobody has described; None where the answer does not say."""
    if "uncounted" not in whole:
        return None
    left_out = whole["uncounted"]
    times: list[int] = [
        each["times"] for each in left_out if each.get("network", network) == network
    ]
    return sum(times)


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Stack):
        value = str(value)
    if not isinstance(value, str):
        return value
    text = value if value.isprintable() else printable(value, len(value))
    return f"'{text}" if text.startswith(FORMULAS) else text
