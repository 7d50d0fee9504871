"""Networks side by side, a column each, as He et al. 2015, Table 1 shows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from resnet_cli.analyses import notation
from resnet_cli.analyses.cost import counts
from resnet_cli.analyses.published import agreement, of
from resnet_cli.designs import zoo
from resnet_cli.networks import Network, distinct
from resnet_cli.published import Figure
from resnet_cli.tables import Column, Table


def table1(networks: Sequence[Network], figures: Sequence[Figure]) -> Table:
    """A row for each stage with its output size (the first network's) and each network's blocks.

    Below them the MACs as computed, as printed in the paper, and whether these agree.
    """
    columns = [Column("stage", "stage"), Column("output", "output", "shape")]
    columns += [Column(name, name, "mixed") for name in distinct(networks)]
    costs = by_paper(networks, figures)
    lines: list[list[Any]] = [[*line] for line in stages(networks)]
    lines.append(["MACs", None, *(cost["macs"] for cost in costs)])
    lines.append(["printed", None, *(cost["printed"] for cost in costs)])
    lines.append(["agrees", None, *(cost["agrees"] for cost in costs)])
    return Table("rows", "", columns, lines)


def stages(networks: Sequence[Network]) -> list[tuple[Any, ...]]:
    """Every stage, its output size, and what it looks like in each network, None where it has none."""
    lines = []
    for stage in notation.stages(network.rows for network in networks):
        members = [[row for row in network.rows if row.stage == stage] for network in networks]
        size = next(group[-1].output for group in members if group)
        cells = [notation.stage(group) if group else None for group in members]
        lines.append((stage, (size[1:] or (1, 1)) if size else None, *cells))
    return lines


def by_paper(networks: Sequence[Network], figures: Sequence[Figure]) -> list[dict[str, Any]]:
    """JSON's "networks": each one's MACs, what its paper prints of them, and how these agree."""
    made = []
    for name, network in zip(distinct(networks), networks, strict=True):
        macs = counts.macs(network.rows)
        figure = _printed(network, figures)
        made.append(
            {
                "name": name,
                "source": network.origin.source,
                "macs": macs,
                "printed": figure and f"{figure.printed} {figure.unit}",
                "agrees": figure and agreement(macs, figure.printed, figure.unit),
            }
        )
    return made


def _printed(network: Network, figures: Sequence[Figure]) -> Figure | None:
    if network.spec is None or not zoo.is_listed(network.spec):
        return None
    return next((f for f in of(network.spec, figures) if f.counts == "macs"), None)
