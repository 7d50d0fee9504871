"""Networks side by side, a column each, as He et al. 2015, Table 1 shows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from resnet_cli.analyses import notation
from resnet_cli.analyses.cost import counts
from resnet_cli.analyses.published import agreement
from resnet_cli.designs import zoo
from resnet_cli.designs.zoo import Spec
from resnet_cli.published import Figure
from resnet_cli.tables import Column, Table
from resnet_cli.trace import Row


def table1(traced: Sequence[tuple[Spec, list[Row]]], figures: Sequence[Figure]) -> Table:
    """A row a stage with its output size (the first network's) and each network's blocks.

    Below them the MACs as computed, as printed in the paper, and whether these agree.
    """
    stages = notation.stages(rows for _, rows in traced)
    columns = [Column("stage", "stage"), Column("output", "output", "shape")]
    columns += [
        Column(spec.name, spec.name, "stack", drop=at) for at, (spec, _) in enumerate(traced)
    ]
    lines: list[list[Any]] = []
    for stage in stages:
        members = [[row for row in rows if row.stage == stage] for _, rows in traced]
        size = next(group[-1].output for group in members if group)
        cells = [notation.stage(group) if group else None for group in members]
        lines.append([stage, size[1:] or (1, 1), *cells])
    printed = [_printed(spec, figures) for spec, _ in traced]
    macs = [counts.totals(rows)["macs"] for _, rows in traced]
    lines.append(["MACs", None, *macs])
    lines.append(["printed", None, *(f and f"{f.printed} G" for f in printed)])
    says = [f and agreement(ours, f.printed, f.unit) for ours, f in zip(macs, printed, strict=True)]
    lines.append(["agrees", None, *says])
    return Table("rows", "", columns, lines)


def _printed(spec: Spec, figures: Sequence[Figure]) -> Figure | None:
    if not zoo.is_listed(spec):
        return None
    return next((f for f in figures if f.network == spec.name and f.counts == "macs"), None)
