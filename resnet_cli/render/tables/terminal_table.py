"""Tables for a terminal: as wide as it is, heads and totals bold where it has colours."""

from __future__ import annotations

import re

from resnet_cli.render.tables.breaking import FILLER, filled, longest, paragraph
from resnet_cli.render.tables.layout import Layout, Part
from resnet_cli.render.tables.plain import aligned
from resnet_cli.tables import Answer, Table

BARS = re.compile("[█▉▊▋▌▍▎▏]+")
LINES = re.compile(".+")
BOLD, CYAN = "\x1b[1m{}\x1b[0m", "\x1b[36m{}\x1b[0m"


def render(
    answer: Answer, exact: bool, width: int | None, color: bool, signs: dict[int, str] | None = None
) -> str:
    """Every table, each with a note on the columns left out below it, then the notes.

    A ``width`` of None is as wide as it takes; ``signs`` are spelled otherwise on this terminal.
    """
    tables = [_table(table, exact, width, color, signs or {}) for table in answer.tables]
    notes = [paragraph(filled(note.translate(signs or {})), width) for note in answer.notes]
    return "\n".join([*tables, *notes]).replace(FILLER, "") + "\n"


def _table(table: Table, exact: bool, width: int | None, color: bool, signs: dict[int, str]) -> str:
    parts, left_out = Layout(table, exact, width, signs).parts()
    text = "\n".join(_part(part, table.total is not None, color) for part in parts)
    if table.title:
        title = paragraph(filled(table.title.translate(signs)), width)
        text = f"{_styled(BOLD, LINES, title, color)}\n{text}"
    titles = ", ".join(dict.fromkeys(column.title for column in left_out if column.title))
    if titles:
        note = f"left out at {width} columns: {titles}; -f plain shows all"
        text += paragraph(filled(note.translate(signs)), width) + "\n"
    return text


def _part(part: Part, has_total: bool, color: bool) -> str:
    head, *rows = aligned(part.columns, part.rows, part.gap)
    rule = "─" * longest([head, *rows])
    if has_total:
        rows[-1] = "\n" + _styled(BOLD, LINES, rows[-1], color)
    body = _styled(CYAN, BARS, "\n".join(rows), color)
    return "\n".join([_styled(BOLD, LINES, head, color), rule, body]) + "\n"


def _styled(style: str, what: re.Pattern[str], text: str, color: bool) -> str:
    return what.sub(lambda match: style.format(match[0]), text) if color else text
