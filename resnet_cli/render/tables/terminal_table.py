"""Tables for a terminal, drawn by rich: as wide as it is, heads and totals bold where it has colours."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO

from resnet_cli.render.tables.breaking import FILLER, filled, longest, paragraph
from resnet_cli.render.tables.layout import Layout, Part
from resnet_cli.render.tables.numbers import LEFT
from resnet_cli.render.tables.plain import aligned
from resnet_cli.tables import Answer, Table

LONG = 200
"""Rows from which on rich would be most of the waiting: a third of a millisecond each."""


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
    title = paragraph(filled(table.title.translate(signs)), width) if table.title else ""
    draw = _plainly if len(table.rows) >= LONG else _richly
    text = draw(title, parts, table.total is not None, color)
    titles = ", ".join(dict.fromkeys(column.title for column in left_out if column.title))
    if titles:
        note = f"left out at {width} columns: {titles}; -f plain shows all"
        text += paragraph(filled(note.translate(signs)), width) + "\n"
    return text


def _richly(title: str, parts: Sequence[Part], has_total: bool, color: bool) -> str:
    from rich import box
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    out = StringIO()
    console = Console(
        file=out, width=100_000, force_terminal=color, legacy_windows=False, highlight=False
    )
    if title:
        console.print(Text(title, style="bold"))
    for part in parts:
        grid = RichTable(
            box=box.SIMPLE_HEAD,
            padding=(0, part.gap - 1, 0, 0),  # the box has one column between two
            pad_edge=False,
            show_edge=False,
            header_style="bold",
        )
        head, *rows = part.rows
        for column, text in zip(part.columns, head, strict=True):
            grid.add_column(
                Text(text),
                justify="left" if column.kind in LEFT else "right",
                no_wrap=True,
                style="cyan" if column.kind == "bar" else None,
            )
        *body, last = rows or [[]]
        for row in body:
            grid.add_row(*map(Text, row))
        if has_total:
            grid.add_section()
        if last:
            grid.add_row(*map(Text, last), style="bold" if has_total else None)
        console.print(grid)
        out.write("\n")
    lines = (line.rstrip() for line in out.getvalue().split("\n"))
    return "\n".join(lines).removesuffix("\n")


def _plainly(title: str, parts: Sequence[Part], has_total: bool, color: bool) -> str:
    """The same without rich and colours."""
    texts = [title] if title else []
    for part in parts:
        head, *rows = aligned(part.columns, part.rows, part.gap)
        total = ["", rows.pop()] if has_total else []
        texts.append("\n".join([head, "─" * longest([head, *rows, *total]), *rows, *total, ""]))
    return "\n".join(texts)
