"""The paths through a residual network: at each block through its body or past it.

Veit, Wilber & Belongie 2016, "Residual Networks Behave Like Ensembles of Relatively Shallow
Networks": n blocks are 2ⁿ paths, whose lengths are distributed binomially.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import ceil, isqrt
from typing import NamedTuple

from resnet_cli.analyses.cost.counts import is_counted
from resnet_cli.analyses.field.receptive_field import across, features, fields
from resnet_cli.designs.limits import within
from resnet_cli.errors import UserError
from resnet_cli.layers.grid import Grid
from resnet_cli.layers.reach import Reach
from resnet_cli.tables import Column, Table
from resnet_cli.trace import INPUT, Row, live

BLOCKS = 2_000
"""Most blocks whose paths are counted: 2^2000 has 603 digits."""
BARS = 31
"""About as many rows has a histogram; what is further out than 2√n blocks is one row."""


class Block(NamedTuple):
    """What a path gains by going through a block's body rather than past it.

    ``layers`` as the papers count; ``pixels`` of receptive field across, negative where the
    shortcut sees more; None where neurons do not see equally much, as behind attention.
    """

    layers: int
    pixels: int | None


class Length(NamedTuple):
    """The ``paths`` through the bodies of ``blocks`` blocks: exact, as many as there are.

    ``layers`` with the stem and the classifier; the receptive field, across, of the path that sees
    the ``least`` and of the one that sees the ``most``, before the global pooling; None where that
    is not known, or is not a sum, as behind attention.
    """

    blocks: int
    layers: int
    paths: int
    least: int | None
    most: int | None


def residual_blocks(rows: Sequence[Row]) -> list[Block]:
    """Every block with a shortcut, in order."""
    seen, reached = fields(rows), live(rows)
    pixel = Reach.of(Grid.of_input(1), 1)
    blocks = []
    for row in rows:
        if row.layer.join:
            ends = [across(seen[read]) if read >= 0 else pixel for read in row.reads]
            side, body = ends
            even = all(end.is_even for end in ends)
            gained = body.size - side.size if even else None
            blocks.append(Block(sum(map(is_counted, _body(rows, row, reached))), gained))
    return blocks


def _body(rows: Sequence[Row], addition: Row, reached: Sequence[bool]) -> list[Row]:
    """A block's rows from where its shortcut and body part, one behind another; gates are left out."""
    ends = list(addition.reads)
    branches: tuple[list[Row], list[Row]] = ([], [])
    while ends[0] != ends[1] and max(ends) > INPUT:
        later = ends.index(max(ends))  # the other may be where they part
        row = rows[ends[later]]
        branches[later].insert(0, row)
        ends[later] = next((at for at in row.reads if at <= INPUT or reached[at]), INPUT)
    return branches[1]


def lengths(rows: Sequence[Row]) -> list[Length]:
    """A line for each number of blocks that a path can go through, 0 to n; one for a plain network.

    Raises `UserError` for more than `BLOCKS` blocks.
    """
    blocks = residual_blocks(rows)
    n = len(blocks)
    within("number of residual blocks", n, BLOCKS, least=0)
    counted = sum(map(is_counted, rows))
    _, field = features(rows)
    gains = sorted(block.pixels or 0 for block in blocks)
    known = field.size and all(block.pixels is not None for block in blocks)
    layers = {block.layers for block in blocks} or {0}
    if len(layers) > 1:
        raise UserError(
            "its blocks have unlike numbers of layers, so paths have no one length",
            "see the blocks: resnet-cli summary --level block",
        )
    each = layers.pop()
    shortest, narrowest = counted - n * each, field.size - sum(gains)
    made = []
    paths, least, most = 1, narrowest, narrowest
    for k in range(n + 1):
        pixels = (least, most) if known else (None, None)
        made.append(Length(k, shortest + k * each, paths, *pixels))
        if k < n:
            paths = paths * (n - k) // (k + 1)
            least, most = least + gains[k], most + gains[n - 1 - k]
    return made


def most_paths(
    distribution: Sequence[Length], share: tuple[int, int] = (95, 100)
) -> tuple[int, int]:
    """The narrowest range of blocks around the middle that holds this share of the paths."""
    n = len(distribution) - 1
    first, last = n // 2, ceil(n / 2)
    held = sum(length.paths for length in distribution[first : last + 1])
    while held * share[1] < share[0] * 2**n:
        first, last = first - 1, last + 1
        held += distribution[first].paths + distribution[last].paths
    return first, last


def histogram(distribution: Sequence[Length]) -> Table:
    """Paths by their length: a row a length, or in a deep network a row for several.

    ``paths`` are integers as long as a table can hold them, up to 2^64.
    """
    n = len(distribution) - 1
    total = 2**n
    kind = "count" if n <= 64 else "text"
    columns = (
        Column("blocks", "through blocks"),
        Column("layers", "layers"),
        Column("paths", "paths", kind, drop=3),
        Column("receptive_field", "receptive field", drop=2),
        Column("share", "share", "share", drop=1),
        Column("bar", "", "bar", drop=9),
    )
    bins = [distribution[first:last] for first, last in _bins(n)]
    sums = [sum(length.paths for length in part) for part in bins]
    body = [
        (
            _range(part[0].blocks, part[-1].blocks),
            _range(part[0].layers, part[-1].layers),
            paths if kind == "count" else scientific(paths),
            _range(part[0].least, part[-1].most),
            paths / total,
            paths / max(sums),
        )
        for part, paths in zip(bins, sums, strict=True)
    ]
    return Table("histogram", "", columns, body)


def _bins(n: int) -> list[tuple[int, int]]:
    """First and last + 1 of the numbers of blocks that share a row."""
    if n < BARS:
        return [(k, k + 1) for k in range(n + 1)]
    middle = 4 * isqrt(n) + 1  # four standard deviations of √n / 2 to each side
    width = ceil(middle / BARS) | 1  # odd, so that the rows lie around n / 2
    many = ceil(middle / width) | 1
    first = (n + 1 - many * width) // 2
    starts = [0, *(first + width * at for at in range(many + 1)), n + 1]
    return list(pairwise(starts))


def _range(first: int | None, last: int | None) -> str:
    if first is None:
        return ""
    return f"{first}" if first == last else f"{first}–{last}"


def scientific(number: int) -> str:
    """Four digits of a number that may be larger than a float: 4.150e+180."""
    exponent = len(str(number)) - 1
    ahead = number * 1000 // 10**exponent
    return f"{ahead / 1000:.3f}e+{exponent}"
