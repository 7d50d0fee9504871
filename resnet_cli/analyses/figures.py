"""Every printed figure beside our number: a line each, or a line for each table with its score."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from resnet_cli.analyses.published import TITLES, count, status
from resnet_cli.designs import zoo
from resnet_cli.designs.fields import inline
from resnet_cli.published import Figure, changes
from resnet_cli.tables import Column, Table
from resnet_cli.trace import Row

STATUSES = {
    "by_rounding": "by rounding", "by_cutting": "by cutting", "different": "different",
    "not_described": "not described", "measured": "measured",
}  # fmt: skip
"""JSON's keys of the score, and the status that each counts."""
COMPUTABLE = ("by_rounding", "by_cutting", "different")


def beside(figures: Iterable[Figure]) -> list[dict[str, Any]]:
    """JSON's "rows": each figure as it is printed, our number by its rule, and its status."""
    traced: dict[zoo.Spec, list[Row]] = {}
    lines = []
    for figure in figures:
        ours = count(figure, traced)
        lines.append(
            {
                "source": figure.source,
                "arxiv": figure.arxiv or None,
                "paper_table": figure.table,
                "network": figure.printed_name,
                "model": _model(figure),
                "quantity": figure.quantity,
                "printed": figure.printed,
                "unit": figure.unit,
                "ours": ours,
                "status": status(figure, ours),
                "rule": figure.counts or None,
                "setting": figure.setting or None,
                "remark": figure.remark or None,
            }
        )
    return lines


def _model(figure: Figure) -> str | None:
    """What it holds for, as MODEL takes it; None for what has no name."""
    if not figure.network:
        return None
    fields = [inline(key, value) for key, value in changes(figure.overrides).items()]
    return f"{figure.network}:{','.join(fields)}" if fields else figure.network


def score(lines: Iterable[dict[str, Any]]) -> dict[str, int]:
    """How many figures there are of each status; those that can be computed are three of these."""
    every = [line["status"] for line in lines]
    counts = {key: every.count(word) for key, word in STATUSES.items()}
    computable = sum(counts[key] for key in COMPUTABLE)
    return {"figures": len(every), "computable": computable, **counts}


def by_table(lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """JSON's "tables": the `score` of each table of each paper."""
    return [
        {
            "name": f"{source}, {table}",
            "source": source,
            "arxiv": arxiv,
            "paper_table": table,
            **score(group),
        }
        for (source, arxiv, table), group in groupby(
            lines, key=lambda f: (f["source"], f["arxiv"], f["paper_table"])
        )
    ]


def scores(lines: Sequence[dict[str, Any]], total: dict[str, int]) -> Table:
    """`by_table` for people, with the score over all of them."""
    columns = [
        Column("source", "paper"),
        Column("paper_table", "table"),
        Column("figures", "figures", "exact"),
        Column("computable", "computable", "exact"),
        Column("by_rounding", "rounding", "exact"),
        Column("by_cutting", "cutting", "exact"),
        Column("different", "different", "exact"),
        Column("not_described", "not described", "exact", drop=1),
        Column("measured", "measured", "exact", drop=2),
    ]
    keys = [column.key for column in columns]
    body = [tuple(line[key] for key in keys) for line in lines]
    return Table("tables", "", columns, body, ["all", None, *(total[key] for key in keys[2:])])


def table(lines: Sequence[dict[str, Any]]) -> Table:
    """Figures for people; their paper and table are the title where all have the same."""
    columns = [
        Column("source", "paper"),
        Column("paper_table", "table"),
        Column("network", "network"),
        Column("model", "model", drop=3),
        Column("quantity", "quantity"),
        Column("printed", "printed"),
        Column("ours", "ours", "count"),
        Column("status", "agrees"),
        Column("setting", "setting", drop=1),
        Column("remark", "remark", drop=2),
    ]
    values = {column.key: {line.get(column.key) for line in lines} for column in columns}
    same = [key for key in ("source", "paper_table", "setting", "remark") if len(values[key]) == 1]
    empty = [key for key in ("model", "ours") if values[key] == {None}]
    columns = [column for column in columns if column.key not in (*same, *empty)]
    title = ", ".join(lines[0][key] for key in same if lines[0][key])
    body = [tuple(_cell(line, column.key) for column in columns) for line in lines]
    return Table("rows", title, columns, body)


def _cell(line: dict[str, Any], key: str) -> Any:
    if key == "quantity":
        return TITLES.get(line[key], line[key])
    if key == "printed":
        return f"{line['printed']}{line['unit']}"
    return line[key]
