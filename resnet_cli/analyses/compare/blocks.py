"""Blocks side by side: weights, MACs and arithmetic, with ratios to the first."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from math import prod
from typing import Any

from resnet_cli.analyses.cost import counts
from resnet_cli.designs import zoo
from resnet_cli.designs.blocks import EXPANSION, block
from resnet_cli.designs.resnet import ResNet
from resnet_cli.errors import UserError, did_you_mean, folded
from resnet_cli.layers.arithmetic import Shape
from resnet_cli.layers.tree import Sequence as Layers
from resnet_cli.networks import Network, of_tree
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

COLUMNS = (
    Column("name", "name"),
    Column("channels", "channels", "count", drop=1),
    Column("params", "weights", "exact"),
    Column("ratio_params", "ratio", "times"),
    Column("macs", "MACs", "exact"),
    Column("ratio_macs", "ratio", "times"),
    Column("flops", "FLOPs", "count", drop=3),
    Column("layers", "layers", "count", drop=2),
    Column("arithmetic", "weights of the convolutions"),
)


def blocks_among(names: Sequence[str]) -> list[str]:
    """The blocks so named, however they are written; none where all are something else.

    Raises `UserError` for a block beside anything else, such as a network or a misspelt block.
    """
    spelt = [name.lower().replace("_", "-") for name in names]
    other = next((name for name in spelt if name not in BLOCKS), None)
    first = next((name for name in spelt if name in BLOCKS), None)
    if other is None or first is None:
        return spelt if other is None else []
    guess = "" if folded(other) in zoo.BY_NAME else did_you_mean(other, BLOCKS)
    known = f"blocks: {', '.join(BLOCKS)}; networks: resnet-cli list"
    raise UserError(
        f"{first!r} is a block and {repr(other[:40]) if other else 'a network'} is none, "
        "so they do not stand side by side",
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
    costs, body = [], []
    for name, width in zip(names, channels, strict=True):
        rows = block_network(name, width, size).rows
        total = counts.totals(rows)
        cost = (sum(map(prod, weights(rows))), total["macs"])
        costs.append(cost)
        ratios = [own / first for own, first in zip(cost, costs[0], strict=True)]
        both = chain.from_iterable(zip(cost, ratios, strict=True))
        body.append((name, width, *both, total["flops"], total["layers"], arithmetic(rows)))
    return Table(key, title, COLUMNS, body)
