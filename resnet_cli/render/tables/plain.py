"""Aligned columns as wide as their content, without colours: the same whatever reads them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from resnet_cli.render.tables.numbers import LEFT, texts
from resnet_cli.tables import Answer, Column, Table


def render(answer: Answer, exact: bool) -> str:
    """Every table, then the notes."""
    parts = [table(t, exact) for t in answer.tables]
    return "\n".join([*parts, *answer.notes]) + "\n"


def table(table: Table, exact: bool) -> str:
    """Title, header, rows, and the total below a rule."""
    columns = list(table.columns)
    rows = [*table.rows, *([table.total] if table.total else [])]
    lines = aligned(columns, [[c.title for c in columns], *texts(columns, rows, exact)])
    rule = "-" * max(map(len, lines))
    lines.insert(1, rule)
    if table.total:
        lines.insert(-1, rule)
    return "\n".join(([table.title] if table.title else []) + lines) + "\n"


def aligned(columns: Sequence[Column], rows: Sequence[Sequence[str]], gap: int = 2) -> list[str]:
    """A text for each row, of several lines where a cell has several."""
    widths = [max(map(len, "\n".join(cells).split("\n"))) for cells in zip(*rows, strict=True)]
    lefts = [column.kind in LEFT for column in columns]

    def line(cells: Sequence[str]) -> str:
        padded = (
            text.ljust(width) if left else text.rjust(width)
            for text, width, left in zip(cells, widths, lefts, strict=True)
        )
        return (" " * gap).join(padded).rstrip()

    return [
        line(cells)
        if not any("\n" in cell for cell in cells)
        else "\n".join(map(line, zip_longest(*(cell.split("\n") for cell in cells), fillvalue="")))
        for cells in rows
    ]
