"""HTML tables: for a page, a notebook, or a report, which brings its own style."""

from __future__ import annotations

from typing import Any

from resnet_cli.render.tables.numbers import LEFT, cell
from resnet_cli.tables import Answer, ByteCount, Column, Table

ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"})
SAME = {
    "stage": "data-stage", "block": "data-label", "path": "data-path", "module": "data-module",
}  # fmt: skip
"""First columns whose value a row carries as an attribute, as a diagram's boxes do."""
UNITS = {"count": "", "amount": "", "bytes": " bytes"}
"""Kinds that are shortened; their every digit is the cell's title."""
STYLE = """
.resnet-cli table { border-collapse: collapse; margin: 0 0 1em; font-variant-numeric: tabular-nums; }
.resnet-cli caption { text-align: left; font-weight: bold; padding: 0 0 .3em; }
.resnet-cli :is(th, td) { text-align: right; padding: .2em .8em .2em 0; white-space: nowrap; vertical-align: top; }
.resnet-cli :is(.t, th[scope=row]) { text-align: left; }
.resnet-cli .stack { white-space: pre-line; }
.resnet-cli thead th { border-bottom: 1px solid; }
.resnet-cli tfoot > tr > * { border-top: 1px solid; font-weight: bold; }
.resnet-cli p { margin: .2em 0; max-width: 50em; }
"""


def escape(text: str) -> str:
    """Text as it may stand in HTML, between tags and in quoted attributes."""
    return text.translate(ESCAPES)


def table(of: Table, exact: bool) -> str:
    """A table element: caption, a head of columns, rows headed by their first cell, the total as foot.

    Bars are left out: a page draws them from the shares, which carry theirs as ``--share``.
    """
    kept = [at for at, column in enumerate(of.columns) if column.kind != "bar"]
    columns = [of.columns[at] for at in kept]
    heads = "".join(
        f'<th scope="col"{_class(column, at)}>{escape(column.title)}</th>'
        for at, column in enumerate(columns)
    )
    key = SAME.get(columns[0].key)
    body = []
    for row in of.rows:
        cells = [row[at] for at in kept]
        same = f' {key}="{escape(str(cells[0]))}"' if key else ""
        body.append(f"<tr{same}>{_cells(columns, cells, exact)}</tr>")
    foot = ""
    if of.total:
        total = _cells(columns, [of.total[at] for at in kept], exact)
        foot = f"<tfoot><tr>{total}</tr></tfoot>\n"
    caption = f"<caption>{escape(of.title)}</caption>\n" if of.title else ""
    rows = "\n".join(body)
    return f"<table>{caption}<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n{foot}</table>\n"


def _class(column: Column, at: int) -> str:
    return ' class="t"' if at and column.kind in LEFT else ""


def _cells(columns: list[Column], values: list[Any], exact: bool) -> str:
    head = f'<th scope="row">{escape(cell(columns[0], values[0], exact))}</th>'
    rest = zip(columns[1:], values[1:], strict=True)
    return head + "".join(_cell(column, value, exact) for column, value in rest)


def _cell(column: Column, value: Any, exact: bool) -> str:
    text = cell(column, value, exact, tall=True)
    if value is None:
        return f"<td{_class(column, 1)}></td>"
    if column.kind == "share":
        return f'<td class="share" style="--share:{value:.3f}">{text}</td>'
    if column.kind == "mixed":
        return f'<td class="t stack">{escape(text)}</td>'
    if column.kind in LEFT:
        return f'<td class="t">{escape(text)}</td>'
    unit = " bytes" if isinstance(value, ByteCount) else UNITS.get(column.kind.removeprefix("+"))
    if unit is not None and text != (whole := f"{value:,}"):
        return f'<td title="{whole}{unit}">{text}</td>'
    return f"<td>{escape(text)}</td>"


def fragment(answer: Answer, exact: bool) -> str:
    """Every table, then the notes, with the little style they need: what a notebook shows."""
    tables = "".join(table(each, exact) for each in answer.tables)
    notes = "".join(f"<p>{escape(note)}</p>\n" for note in answer.notes)
    return f'<div class="resnet-cli">\n<style>{STYLE}</style>\n{tables}{notes}</div>\n'


def render(answer: Answer, exact: bool) -> str:
    """A page of its own."""
    title = escape(answer.tables[0].title or str(answer.envelope["command"]))
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
        f"</head>\n<body>\n{fragment(answer, exact)}</body>\n</html>\n"
    )
