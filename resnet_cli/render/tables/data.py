"""JSON and CSV: raw integers, written without rich. The contract is in docs/json.md."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

from resnet_cli.tables import Answer, Column, Stack, Table

SCHEMA = 2
FOR_PEOPLE = ("share", "bar", "line", "remark")
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a cell begins with that is run; the last four where East Asian text is usual."""


def as_json(answer: Answer) -> str:
    """The envelope with the first table as "rows", every other table under its own key."""
    document = {"schema": SCHEMA, **answer.envelope}
    for table in answer.tables:
        if answer.envelope.get(table.key):  # whole in the envelope, and the table for people alone
            continue
        document[table.key] = [dict(zip(_keys(table), row, strict=True)) for row in _raw(table)]
    document["notes"] = list(answer.notes)
    text = json.dumps(document, ensure_ascii=False, indent=2, default=_one_line)
    if not text.replace("\n", "").isprintable():  # escaped: what a terminal would act upon
        text = "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)
    return text + "\n"


def _one_line(value: object) -> str:
    """A stack as JSON has it; nothing else that JSON does not know is written."""
    if isinstance(value, Stack):
        return str(value)
    raise TypeError(f"{type(value).__name__} is no value of an answer")


def as_csv(answer: Answer) -> str:
    """The first table; the last column repeats what is counted, so that no row loses it.

    A text that a spreadsheet would run as a formula begins with an apostrophe.
    """
    import csv

    table, out = _parted(answer.tables[0]), StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(map(_flat, [*_keys(table), "convention"]))
    convention = "; ".join(answer.notes)
    marks = ["-" if column.kind == "numbers" else "x" for _, column in _kept(table)]
    for row in _raw(table):
        writer.writerow([*map(_flat, row, marks), _flat(convention)])
    return out.getvalue()


def _parted(table: Table) -> Table:
    """The table with a column for each ratio, where JSON has them in one object."""
    for at, column in enumerate(table.columns):
        if column.kind == "ratio":
            keys = [*table.rows[0][at]]
            columns = [Column(f"{column.key}_{key}", "", "number") for key in keys]
            rows = [[*row[:at], *map(row[at].get, keys), *row[at + 1 :]] for row in table.rows]
            columns = [*table.columns[:at], *columns, *table.columns[at + 1 :]]
            return table._replace(columns=columns, rows=rows, total=None)
    return table


def _kept(table: Table) -> list[tuple[int, Column]]:
    return [(i, c) for i, c in enumerate(table.columns) if c.kind not in FOR_PEOPLE]


def _keys(table: Table) -> list[str]:
    return [c.key for _, c in _kept(table)]


def _raw(table: Table) -> list[list[Any]]:
    kept = _kept(table)
    return [[row[i] for i, _ in kept] for row in table.rows]


def _flat(value: Any, between: str = "x") -> Any:
    """A cell: a shape as 3x224x224, other numbers as 3-4-6-3."""
    if isinstance(value, Stack):
        value = str(value)
    if isinstance(value, str) and value.startswith(FORMULAS):
        return f"'{value}"
    return between.join(map(str, value)) if isinstance(value, tuple) else value
