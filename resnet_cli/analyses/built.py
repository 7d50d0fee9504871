"""A built network by stage, as measured: shapes of a run, parameters of the modules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from resnet_cli.analyses import levels
from resnet_cli.layers.arithmetic import Shape
from resnet_cli.tables import Column, Table
from resnet_cli.trace import Row

COLUMNS = (
    Column("stage", "stage"),
    Column("path", "modules"),
    Column("output", "output", "shape"),
    Column("tensors", "tensors", "count", drop=1),
    Column("params", "params", "exact"),
)


def modules(rows: Sequence[Row]) -> list[Row]:
    """The rows that torch has a module for: all but additions and the like, at the path of their block."""
    return [row for row in rows if row.path not in row.inside]


def by_stage(
    rows: Sequence[Row],
    ran: Sequence[tuple[str, Shape]],
    params: Mapping[str, int],
    tensors: Mapping[str, Shape],
) -> Table:
    """One row for each stage: what ran in it, its last output, and the numbers that its modules hold.

    ``ran`` has path and output shape of every module in order, ``params`` are by path, ``tensors``
    those of the state dict; the trace only says which of them are of which stage.
    """
    lines: list[tuple[Any, ...]] = []
    pairs = zip(modules(rows), ran, strict=True)
    for stage, group in groupby(pairs, key=lambda pair: pair[0].stage):
        layers = [layer for _, layer in group]
        paths = dict.fromkeys(path for path, _ in layers)
        held = sum(name.rpartition(".")[0] in paths for name in tensors)
        own = sum(params.get(path, 0) for path in paths)
        children = dict.fromkeys(path.partition(".")[0] for path in paths)
        lines.append((stage, ", ".join(children), layers[-1][1], held, own))
    total = ("total", None, None, len(tensors), sum(params.values()))
    return Table("rows", "", COLUMNS, lines, total)


def by_module(
    rows: Sequence[Row],
    ran: Sequence[tuple[str, Shape]],
    params: Mapping[str, int],
    tensors: Mapping[str, Shape],
) -> Table:
    """One row for each module, as deep as takes few lines: its last output, with the batch, and the numbers that it holds."""
    name = levels.level(rows, "module", fold=False).name
    lines: list[tuple[Any, ...]] = []
    for module in dict.fromkeys(map(name, rows)):
        outputs = [shape for path, shape in ran if _within(path, module)]
        held = sum(_within(tensor, module) for tensor in tensors)
        own = sum(count for path, count in params.items() if _within(path, module))
        if outputs or held:
            lines.append((module, outputs[-1] if outputs else None, held, own))
    columns = (Column("module", "module"), *COLUMNS[2:])
    return Table("rows", "", columns, lines, ("total", None, len(tensors), sum(params.values())))


def _within(path: str, module: str) -> bool:
    return path == module or path.startswith(f"{module}.")
