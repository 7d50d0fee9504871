"""How a gradient gets through: the factor of the shortcuts in theory, the norms as measured.

Equations are those of He et al. 2016, "Identity Mappings in Deep Residual Networks", in the order
of Sec. 2: x_L = (∏ λ) x_l + ..., so ∂E/∂x_l = ∂E/∂x_L · (∏ λ + ...).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log10, prod
from statistics import median
from typing import Any, NamedTuple

from resnet_cli.analyses import levels
from resnet_cli.networks import Network
from resnet_cli.tables import Column, Table
from resnet_cli.trace import Row


class Measured(NamedTuple):
    """A network, and for each seed the gradient's norm at the input of each of its places.

    These are modules, blocks mostly: torch's path -> the paper's label. ``classifies`` is whether the loss is
    a cross-entropy, ``of`` what the places are: block or module.
    """

    name: str
    network: Network
    norms: Sequence[Sequence[float]]
    places: Mapping[str, str]
    classifies: bool = True
    of: str = "block"


def blocks(rows: Sequence[Row]) -> dict[str, str]:
    """Torch's path of every block in order -> the paper's label: "layer1.0" -> "conv2_1"."""
    return {row.block.path: row.block.label for row in rows if row.block}


def places(network: Network, level: str) -> tuple[dict[str, str], str]:
    """The modules at whose inputs a gradient is measured, and what they are: block or module.

    Of stages it is the first block. A block that others' code made is the module that its addition
    stands in; where there is none, modules as deep as takes few lines are taken.
    """
    rows = network.rows
    if level != "module":
        of_blocks = blocks(rows) if network.spec else _holders(rows)
        if level == "stage":
            of_blocks = _first_of_stages(rows, of_blocks)
        if of_blocks:
            return of_blocks, "block"
    names = dict.fromkeys(map(levels.level(rows, "module", fold=False).name, rows))
    return {name: name for name in names if network.spec or name in network.classes}, "module"


def _holders(rows: Sequence[Row]) -> dict[str, str]:
    joins = [row for row in rows if row.layer.join and row.block and row.inside]
    return {row.inside[-1]: row.inside[-1] for row in joins}


def _first_of_stages(rows: Sequence[Row], of_blocks: Mapping[str, str]) -> dict[str, str]:
    first: dict[str, str] = {}
    for row in rows:
        for path in {*row.inside, row.path} & of_blocks.keys():
            first.setdefault(row.stage, path)
    return {path: stage for stage, path in first.items()}


def shortcut_factor(rows: Sequence[Row]) -> float | None:
    """∏ λ over all blocks: 1 for identities, λⁿ where scaled; None where no block has a shortcut.

    Projections, gates and dropout are no constants: they count as 1 here, which a note says.
    """
    joins = [row.layer for row in rows if row.layer.join]
    if not joins:
        return None
    return prod(1.0 if join.constant is None else join.constant for join in joins)


def spread(norms: Sequence[Sequence[float]], at: int) -> tuple[float, float, float]:
    """Median, least and largest over the seeds at one block."""
    values = [run[at] for run in norms]
    return median(values), min(values), max(values)


COLUMNS = (
    Column("name", "network"),
    Column("blocks", "blocks", "exact", drop=2),
    Column("factor", "shortcuts' ∏λ", "number", drop=1),
    Column("first", "first block", "number"),
    Column("first_spread", "spread", "range", drop=3),
    Column("last", "last block", "number"),
    Column("last_spread", "spread", "range", drop=4),
    Column("ratio", "first / last", "number"),
    Column("line", "first to last block", "line"),
)


def compared(measured: Sequence[Measured], more: Sequence[Column] = ()) -> Table:
    """A row a network: what theory says of its shortcuts, and the gradient's norm from first to last block.

    The lines are of the logarithms, on one scale for all.
    """
    low, high = map(_log, extremes(measured))
    lines = []
    for one in measured:
        logs = [_log(norm) for norm in medians(one)]
        lines.append(_line(one, {"values": logs, "low": low, "high": high}))
    return Table("rows", "", COLUMNS, lines)


def loss(measured: Sequence[Measured]) -> str:
    """What E is, in words."""
    entropy, product = (
        "mean cross-entropy of random labels",
        "mean product of the output with normal numbers",
    )
    kinds = dict.fromkeys(one.classifies for one in measured)
    return ", or ".join(entropy if classifies else product for classifies in kinds)


def medians(one: Measured) -> list[float]:
    """At each block the median over the seeds."""
    return [median(block) for block in zip(*one.norms, strict=True)]


def extremes(measured: Sequence[Measured]) -> tuple[float, float]:
    """The least and the largest median of all networks; those that vanish entirely do not count."""
    known = [norm for one in measured for norm in medians(one) if norm > 0] or [1.0]
    return min(known), max(known)


def _log(norm: float) -> float | None:
    return log10(norm) if norm > 0 else None


def _line(one: Measured, line: Mapping[str, Any]) -> tuple[Any, ...]:
    first, last = spread(one.norms, 0), spread(one.norms, -1)
    ratio = first[0] / last[0] if last[0] else None
    return (
        one.name, len(one.places), shortcut_factor(one.network.rows), first[0], list(first[1:]), last[0],
        list(last[1:]), ratio, line,
    )  # fmt: skip


def by_block(one: Measured) -> Table:
    """A row a block, stage or module: the gradient's norm at its input, over the seeds."""
    columns = (
        Column("block", "block"),
        Column("path", "path", drop=1),
        Column("median", "median", "number"),
        Column("spread", "least to largest", "range"),
        Column("bar", "", "bar"),
    )
    norms = [spread(one.norms, at) for at in range(len(one.places))]
    most = max((n[0] for n in norms), default=0.0) or 1.0
    lines = [
        (label, path, middle, [low, high], middle / most)
        for (path, label), (middle, low, high) in zip(one.places.items(), norms, strict=True)
    ]
    return Table("rows", one.name, columns, lines)
