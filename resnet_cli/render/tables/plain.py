"""Aligned columns without boxes or colours, for pipes and for tables of thousands of rows."""

from __future__ import annotations

from resnet_cli.render.tables.numbers import LEFT, texts
from resnet_cli.tables import Answer, Column, Table


def render(answer: Answer, exact: bool) -> str:
    """Every table, then the notes."""
    parts = [table(t, list(t.columns), exact) for t in answer.tables]
    return "\n".join([*parts, *answer.notes]) + "\n"


def table(table: Table, columns: list[Column], exact: bool) -> str:
    """Title, header, rows, and the total below a rule."""
    keep = [i for i, c in enumerate(table.columns) if c in columns]
    rows = [
        [row[i] for i in keep] for row in [*table.rows, *([table.total] if table.total else [])]
    ]
    cells = [[c.title for c in columns], *texts(columns, rows, exact)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lefts = [c.kind in LEFT for c in columns]
    aligned = [
        "  ".join(
            text.ljust(width) if left else text.rjust(width)
            for text, width, left in zip(row, widths, lefts, strict=True)
        ).rstrip()
        for row in cells
    ]
    rule = "-" * max(map(len, aligned))
    body = [aligned[0], rule, *aligned[1:]]
    if table.total:
        body.insert(-1, rule)
    return "\n".join(([table.title] if table.title else []) + body) + "\n"
