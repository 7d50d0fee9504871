"""The architecture by stage, block or layer, with parameters and MACs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

from resnet_cli.analyses import notation
from resnet_cli.analyses.cost import counts
from resnet_cli.tables import Column, Table
from resnet_cli.trace import Row

COSTS = (
    Column("params", "params", "count"),
    Column("macs", "MACs", "count"),
    Column("share", "share", "share", drop=9),
)


def summary(rows: Sequence[Row], level: str) -> Table:
    """A row for each stage, block or layer; the last row adds up parameters and MACs."""
    total = counts.totals(rows)
    whole = max(total["macs"], 1)
    if level == "layer":
        return _layers(rows, total, whole)
    key: Callable[[Row], str] = (lambda r: r.stage) if level == "stage" else (lambda r: r.label)
    describe = notation.stage if level == "stage" else _block
    columns = (
        Column(level, level),
        Column("output", "output", "shape", drop=5),
        Column("architecture", "architecture", drop=8),
        *COSTS,
    )
    body = []
    for name, group in groupby(rows, key=key):
        members = list(group)
        macs = sum(row.macs for row in members)
        params = sum(map(counts.parameters, members))
        text = describe(members)
        body.append((name, members[-1].output, text, params, macs, macs / whole))
    end = ("total", None, None, total["params"], total["macs"], 1.0)
    return Table("rows", "", columns, body, end)


def _block(rows: Sequence[Row]) -> str:
    if rows[0].label == rows[0].stage:
        return notation.stage(rows)
    sides = [row.layer.kind for row in rows if row.role == "shortcut"]
    if not any(row.layer.kind == "addition" for row in rows):
        kind = "no shortcut"
    elif not sides:
        kind = "identity"
    else:
        kind = "projection" if "convolution" in sides else "zero padding"
    return f"{notation.block(rows)}, {kind}"


def _layers(rows: Sequence[Row], total: dict[str, Any], whole: int) -> Table:
    columns = (
        Column("path", "path"),
        Column("block", "block", drop=6),
        Column("layer", "layer"),
        Column("kernel", "kernel", "count", drop=4),
        Column("stride", "stride", "count", drop=3),
        Column("padding", "pad", "count", drop=2),
        Column("groups", "groups", "count", drop=7),
        Column("input", "input", "shape", drop=8),
        Column("output", "output", "shape", drop=1),
        *COSTS,
    )
    body = []
    for row in rows:
        kernel, stride, padding = row.layer.window
        shaped = "convolution" in row.layer.kind or "pool" in row.layer.kind
        window = (kernel, stride, padding) if shaped else (None, None, None)
        groups = getattr(row.layer, "groups", None)
        body.append(
            (row.path, row.label, row.layer.kind, *window, groups, row.input, row.output,
             counts.parameters(row), row.macs, row.macs / whole)
        )  # fmt: skip
    end = ("total", *[None] * 8, total["params"], total["macs"], 1.0)
    return Table("rows", "", columns, body, end)
