"""What one neuron sees of the input, by stage, block or layer."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from resnet_cli.analyses.levels import Level
from resnet_cli.layers.reach import UNKNOWN, Reach
from resnet_cli.tables import Column, Table
from resnet_cli.trace import INPUT, Row, input_of, live

Field = tuple[Reach, Reach]
"""Of the height and of the width."""


def fields(rows: Sequence[Row]) -> list[Field]:
    """The receptive field of each row's output.

    A gate (squeeze-excitation) is followed on its own rows, and not through what it scales: from
    there on every neuron depends on the whole input, and the field is that of the main path.
    """
    seen: list[Field] = []
    shape = input_of(rows)
    image = tuple(Reach.of_input(side) for side in shape[1:]) if len(shape) == 3 else (UNKNOWN,) * 2
    reached = live(rows)
    for row in rows:
        ways = [
            (read, shape)
            for read, shape in zip(row.reads, row.inputs, strict=True)
            if read <= INPUT or reached[read]
        ]
        before = ways[0][1] if ways else ()
        height, width = (
            row.layer.along(side).reach(
                [seen[read][side] if read >= 0 else image[side] for read, _ in ways],
                neurons(before, side),
                neurons(row.output, side),
            )
            if ways
            else UNKNOWN
            for side in (0, 1)
        )
        seen.append((height, width))
    return seen


def neurons(shape: tuple[int, ...], side: int) -> int:
    """How many there are along the height or the width; a vector is one place."""
    return shape[side + 1] if len(shape) == 3 else 1


LEVELS = ("stage", "block", "layer", "module")


def receptive_field(rows: Sequence[Row], level: Level) -> Table:
    """A line for each stage, block, layer or module: the field of its last layer's output.

    ``seen`` is what the neuron in the middle sees inside of the input.
    """
    image = input_of(rows)[1:]
    own = (Column("path", "path"),) if level.key == "layer" else level.columns
    columns = (
        *own,
        Column("output", "output", "shape", drop=6),
        Column("stride", "stride", "exact", drop=3),
        Column("receptive_field", "receptive field", "shape"),
        Column("padding", "padding", "exact", drop=4),
        Column("centre", "centre", "exact", drop=5),
        Column("seen", "middle sees", "shape", drop=2),
        Column("coverage", "coverage", "share", drop=1),
        Column("bar", "", "bar", drop=9),
    )
    last = {level.name(row): (field, row) for row, field in zip(rows, fields(rows), strict=True)}
    body = [(*level.cells(name), *_line(field, row, image)) for name, (field, row) in last.items()]
    return Table("rows", "", columns, body)


def features(rows: Sequence[Row]) -> tuple[str, Reach]:
    """The last stage before the classifier, and its field along the height."""
    at = max(index for index, row in enumerate(rows) if row.part != "head")
    return rows[at].stage, fields(rows)[at][0]


def _line(field: Field, row: Row, image: tuple[int, ...]) -> tuple[object, ...]:
    height, width = field
    if not height.size:
        return (row.output, *[None] * 7)
    even = height.stride == width.stride > 0
    stride, centre = (height.stride, height.centre) if even else (None, None)
    neurons = row.output[1:] if len(row.output) == 3 else (1, 1)
    seen, share = None, None
    if even or neurons == (1, 1):
        ends = [a.seen(n // 2, pixels) for a, n, pixels in zip(field, neurons, image, strict=True)]
        seen = tuple(max(last - first + 1, 0) for first, last in ends)
        share = prod(seen) / prod(image)
    size = (height.size, width.size)
    return (row.output, stride, size, -height.start, centre, seen, share, share)
