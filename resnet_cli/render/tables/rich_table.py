"""Tables for a terminal, through rich; long ones as plain text, which is what they need."""

from __future__ import annotations

import sys
from io import StringIO

from resnet_cli.render.tables import plain
from resnet_cli.render.tables.numbers import LEFT, texts
from resnet_cli.tables import Answer, Column, Table

LONG = 200
"""Rows from which on a rich table would be most of the waiting."""
GAP = 3
"""Between two columns: two of padding and the box's own."""


def fitting(table: Table, width: int | None, exact: bool) -> tuple[list[Column], list[Column]]:
    """The columns that fit into the width, and those dropped for it; no number is ever cut."""
    rows = [*table.rows, *([table.total] if table.total else [])]
    keep, dropped = list(table.columns), []
    cells = [[c.title for c in keep], *texts(keep, rows, exact, tall=True)]
    widths = [
        max(len(line) for text in column for line in text.split("\n")) + GAP
        for column in zip(*cells, strict=True)
    ]
    size = dict(zip(keep, widths, strict=True))
    while width and sum(size[c] for c in keep) - GAP > width and any(c.drop for c in keep):
        out = max(keep, key=lambda c: c.drop)
        keep.remove(out)
        dropped.append(out)
    return keep, dropped


def render(answer: Answer, exact: bool, width: int | None, color: bool) -> str:
    """Every table, then the notes; names the columns dropped for the width on stderr."""
    from rich import box
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    out = StringIO()
    console = Console(
        file=out, width=10_000, force_terminal=color, legacy_windows=False, highlight=False
    )
    for table in answer.tables:
        columns, dropped = fitting(table, width, exact)
        if dropped:
            names = ", ".join(c.title for c in dropped)
            print(f"note: left out for the width: {names}", file=sys.stderr)
        if len(table.rows) >= LONG:
            out.write(plain.table(table, columns, exact) + "\n")
            continue
        grid = RichTable(
            title=Text(table.title, style="bold") if table.title else None,
            title_justify="left",
            box=box.SIMPLE_HEAD,
            padding=(0, 2, 0, 0),
            pad_edge=False,
            show_edge=False,
            header_style="bold",
        )
        for column in columns:
            left = column.kind in LEFT
            style = "cyan" if column.kind == "bar" else None
            grid.add_column(
                Text(column.title), justify="left" if left else "right", no_wrap=True, style=style
            )
        keep = [i for i, c in enumerate(table.columns) if c in columns]
        body = [[row[i] for i in keep] for row in table.rows]
        for row in texts(columns, body, exact, tall=True):
            grid.add_row(*map(Text, row))
        if table.total:
            grid.add_section()
            total = texts(columns, [[table.total[i] for i in keep]], exact)[0]
            grid.add_row(*map(Text, total), style="bold")
        console.print(grid)
        out.write("\n")
    text = "\n".join(line.rstrip() for line in out.getvalue().split("\n"))
    return text + "".join(f"{note}\n" for note in answer.notes)
