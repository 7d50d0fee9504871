"""Markdown tables, as GitHub renders them."""

from __future__ import annotations

import re
from typing import Any

from resnet_cli.render.tables.numbers import LEFT, cell
from resnet_cli.tables import Answer, Column, Stack

LINK = re.compile(r"://|www\.|@", re.IGNORECASE)
"""What GitHub makes a link of by itself: no backslash hinders it, a code span does."""
ACTS = re.compile(r"[\\`*~$]|\](?=[(\[:])|(?<![^\W_])_|_(?![^\W_])")
"""What Markdown acts upon; brackets alone and a low line within a word it shows."""
ANY = re.compile(f"{LINK.pattern}|[&<]|{ACTS.pattern}", re.IGNORECASE)
BEGINS = re.compile(r"^(?:(?=[#>+=-])|(\d+)(?=[.)](?:\s|$)))")
"""Where a paragraph would be a heading, a quote or a list."""


def literal(text: str) -> str:
    """The text as Markdown that shows it as it is: no link, image or HTML in a name is live."""
    return " ".join(map(_word, text.split(" "))) if ANY.search(text) else text


def _word(word: str) -> str:
    if LINK.search(word):
        return "`" + re.sub(r"[\\`|\]]", "?", word) + "`"
    word = re.sub(r"&(?=[#\w])", "&amp;", word).replace("<", "&lt;")
    return ACTS.sub(r"\\\g<0>", word)


def render(answer: Answer, exact: bool) -> str:
    """A pipe table for each table, then the notes."""
    parts = []
    for table in answer.tables:
        rows = [*table.rows, *([table.total] if table.total else [])]
        lines = [
            [_escaped(column.title) for column in table.columns],
            ["---" if column.kind in LEFT else "---:" for column in table.columns],
            *(
                [_cell(*pair, exact) for pair in zip(table.columns, row, strict=True)]
                for row in rows
            ),
        ]
        text = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        parts.append(f"**{literal(table.title)}**\n\n{text}" if table.title else text)
    notes = (BEGINS.sub(r"\1\\", literal(note)) for note in answer.notes)
    return "\n\n".join([*parts, *notes]) + "\n"


def _cell(column: Column, value: Any, exact: bool) -> str:
    """A cell of several parts has a line for each, for which Markdown has HTML's tag alone."""
    if isinstance(value, Stack):
        return "<br>".join(_escaped(str(part)) for part in value.parts)
    return _escaped(cell(column, value, exact))


def _escaped(text: str) -> str:
    return literal(text).replace("|", "\\|")
