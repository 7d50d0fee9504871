"""Blocks or networks side by side, with ratios to the first."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from resnet_cli.analyses import notation
from resnet_cli.analyses.cost import counts
from resnet_cli.designs import zoo
from resnet_cli.designs.blocks import EXPANSION, block
from resnet_cli.designs.resnet import ResNet
from resnet_cli.errors import UserError, did_you_mean, folded
from resnet_cli.layers.arithmetic import Shape
from resnet_cli.layers.tree import Sequence as Layers
from resnet_cli.networks import Network, distinct, of_tree
from resnet_cli.tables import Column, Table
from resnet_cli.trace import Row

BLOCKS: dict[str, dict[str, Any]] = {
    "basic": {"block": "basic"},
    "bottleneck": {"block": "bottleneck"},
    "preact-basic": {"block": "basic", "preact": True},
    "preact-bottleneck": {"block": "bottleneck", "preact": True},
    "resnext": {"block": "bottleneck", "groups": 32, "base_width": 4, "style": "v1.5"},
    "se": {"block": "bottleneck", "se_reduction": 16},
    "plain": {"block": "basic", "shortcut": "none"},
}
"""What `compare` takes for a block: fields of a spec (ResNeXt's is 32×4d, SE reduces by 16)."""

FIELDS = (
    Column("name", "name"),
    Column("params", "params", "count"),
    Column("macs", "MACs", "count"),
    Column("flops", "FLOPs", "count", drop=4),
    Column("layers", "layers", "count", drop=3),
    Column("ratio", "to the first", "ratio", drop=1),
)
COMPARED = ("params", "macs", "flops", "layers")


def blocks_among(names: Sequence[str]) -> list[str]:
    """The blocks so named, however they are written; none where all are something else.

    Raises `UserError` for a block beside anything else, such as a network or a misspelt block.
    """
    found = [name.lower().replace("_", "-") for name in names]
    other = next((name for name in found if name not in BLOCKS), None)
    first = next((name for name in found if name in BLOCKS), None)
    if other is None or first is None:
        return found if other is None else []
    guess = "" if folded(other) in zoo.BY_NAME else did_you_mean(other, BLOCKS)
    known = f"blocks: {', '.join(BLOCKS)}; networks: resnet-cli list"
    raise UserError(
        f"{first!r} is a block and {other[:40]!r} is none, so they do not stand side by side",
        f"{guess}? {known}" if guess else known,
    )


def block_network(name: str, channels: int, size: int) -> Network:
    """One block with ``channels`` in and out, on size×size maps.

    Raises `UserError` for channels that the block cannot have.
    """
    fields = BLOCKS[name]
    expansion = EXPANSION[fields["block"]]
    if channels % expansion:
        raise UserError(
            f"{channels} channels do not divide by {expansion}, as a {name} block needs",
            "choose --channels 256",
        )
    spec = ResNet(name, "block", stages=(1, 1, 1, 1), width=channels // expansion, **fields)
    made = block(spec, channels, spec.width, 1, activated=False)._replace(name="block", label=name)
    return of_tree(name, Layers("", (made,)), (channels, size, size))


def weights(rows: Sequence[Row]) -> list[Shape]:
    """The weight of each convolution, in order."""
    return [r.layer.parameters()["weight"] for r in rows if counts.is_convolution(r)]


def arithmetic(rows: Sequence[Row]) -> str:
    """`1×1×256×64 + 3×3×64×64 + 1×1×64×256 = 69,632`: kernel, inputs a group, outputs."""
    shapes = weights(rows)
    terms = [f"{k}×{k}×{inputs}×{outputs}" for outputs, inputs, k, _ in shapes]
    return f"{' + '.join(terms)} = {sum(map(prod, shapes)):,}"


def norms(name: str, channels: int, size: int) -> int:
    """Parameters of a block beside its convolutions' weights: scales and shifts of its norms."""
    rows = block_network(name, channels, size).rows
    return sum(counts.parameters(row) for row in rows if not row.layer.counted)


def blocks(names: Sequence[str], channels: Sequence[int], size: int, key: str, title: str) -> Table:
    """A row for each block at its number of channels; params are convolution weights alone."""
    lines = []
    for name, width in zip(names, channels, strict=True):
        rows = block_network(name, width, size).rows
        total = counts.totals(rows)
        params = sum(map(prod, weights(rows)))
        lines.append((name, width, {**total, "params": params}, arithmetic(rows)))
    first = lines[0][2]
    columns = (
        FIELDS[0], Column("channels", "channels", "count", drop=2),
        Column("params", "weights", "exact"), Column("macs", "MACs", "exact"), *FIELDS[3:],
        Column("arithmetic", "weights of the convolutions"),
    )  # fmt: skip
    body = [
        (name, width, *(total[f] for f in COMPARED), _ratios(total, first), text)
        for name, width, total, text in lines
    ]
    return Table(key, title, columns, body)


def networks(given: Sequence[Network]) -> list[Table]:
    """A row for each network, then MACs and parameters of each stage side by side."""
    names = distinct(given)
    totals = [counts.totals(network.rows) for network in given]
    body = [
        (name, *(total[f] for f in COMPARED), _ratios(total, totals[0]))
        for name, total in zip(names, totals, strict=True)
    ]
    columns = [Column("stage", "stage")]
    for name in names:
        columns += [
            Column(f"{name}.params", f"{name} params", "count"),
            Column(f"{name}.macs", f"{name} MACs", "count"),
        ]
    lines = [
        (stage, *(cost for each in costs for cost in (each or (None, None))))
        for stage, costs in by_stage(given)
    ]
    return [Table("rows", "", FIELDS, body), Table("stages", "By stage", columns, lines)]


def by_stage(given: Sequence[Network]) -> list[tuple[str, list[tuple[int, int] | None]]]:
    """Every stage with each network's parameters and MACs in it, None where it has no such stage."""
    lines = []
    for stage in notation.stages(network.rows for network in given):
        costs: list[tuple[int, int] | None] = []
        for network in given:
            members = [row for row in network.rows if row.stage == stage]
            cost = (sum(map(counts.parameters, members)), counts.macs(members))
            costs.append(cost if members else None)
        lines.append((stage, costs))
    return lines


def stages(given: Sequence[Network]) -> list[dict[str, Any]]:
    """JSON's "stages": for each stage a list of the networks that have it."""
    names = distinct(given)
    return [
        {
            "stage": stage,
            "networks": [
                {"name": name, "params": cost[0], "macs": cost[1]}
                for name, cost in zip(names, costs, strict=True)
                if cost
            ],
        }
        for stage, costs in by_stage(given)
    ]


def _ratios(total: dict[str, Any], first: dict[str, Any]) -> dict[str, float | None]:
    return {f: total[f] / first[f] if first[f] else None for f in COMPARED}
