"""The zoo as one table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from resnet_cli.analyses.cost.counts import totals
from resnet_cli.designs.zoo import Spec
from resnet_cli.published import Figure
from resnet_cli.tables import Column, Table
from resnet_cli.trace import trace

COLUMNS = (
    Column("name", "name"),
    Column("family", "family", drop=3),
    Column("block", "block", drop=4),
    Column("stages", "blocks", "numbers", drop=5),
    Column("layers", "layers", "count", drop=1),
    Column("params", "params", "count"),
    Column("macs", "MACs", "count"),
    Column("error", "published error", drop=6),
)


ERRORS = {"top1_err": "top-1", "cifar10_err": "CIFAR-10"}


def listing(
    specs: Iterable[Spec], sort: str | None, under: float | None, figures: Sequence[Figure]
) -> Table:
    """A row for each network, sorted by a column, with at most so many MACs.

    The error is the first that a paper prints for the network as it is listed.
    """
    errors: dict[str, str] = {}
    for figure in figures:
        if figure.quantity in ("top1_err", "cifar10_err") and not figure.overrides:
            text = f"{figure.printed}% {ERRORS[figure.quantity]} ({figure.source}, {figure.table})"
            errors.setdefault(figure.network, text)
    rows: list[tuple[Any, ...]] = []
    for spec in specs:
        total = totals(trace(spec.net(), spec.input_shape))
        if under is None or total["macs"] <= under:
            block = getattr(spec, "block", "")
            rows.append((spec.name, spec.family, block, spec.stages, total["layers"], total["params"], total["macs"], errors.get(spec.name)))  # fmt: skip
    if sort:
        at = [column.key for column in COLUMNS].index(sort)
        rows.sort(key=lambda row: row[at])
    return Table("rows", "", COLUMNS, rows)
