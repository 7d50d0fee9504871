"""JSON: raw values under stable keys, written without rich. The contract is in docs/json.md."""

from __future__ import annotations

import json
from typing import Any

from resnet_cli.tables import Answer, Column, Stack, Table

SCHEMA = 2
FOR_PEOPLE = ("share", "bar", "line", "remark")


def document(answer: Answer) -> dict[str, Any]:
    """The envelope with the first table as "rows", every other table under its own key."""
    whole = {"schema": SCHEMA, **answer.envelope}
    for table in answer.tables:
        if answer.envelope.get(table.key):  # whole in the envelope, and the table for people alone
            continue
        whole[table.key] = _rows(table)
    whole["notes"] = list(answer.notes)
    return whole


def as_json(answer: Answer) -> str:
    """The document as text, a terminal's signs escaped."""
    text = json.dumps(document(answer), ensure_ascii=False, indent=2, default=_one_line)
    if not text.replace("\n", "").isprintable():  # escaped: what a terminal would act upon
        text = "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)
    return text + "\n"


def _one_line(value: object) -> str:
    """A stack as JSON has it; nothing else that JSON does not know is written."""
    if isinstance(value, Stack):
        return str(value)
    raise TypeError(f"{type(value).__name__} is no value of an answer")


def _rows(table: Table) -> list[dict[str, Any]]:
    columns: list[tuple[int, Column]] = [
        (at, column) for at, column in enumerate(table.columns) if column.kind not in FOR_PEOPLE
    ]
    return [{column.key: row[at] for at, column in columns} for row in table.rows]
