"""What one neuron sees of the input: a window that grows layer by layer, and its place.

Araujo et al. 2019, "Computing Receptive Fields of Convolutional Neural Networks" (Distill),
equations 2 and 4: a kernel of k adds (k − 1) · stride pixels, a padding of p moves the window
p · stride pixels out. Through an addition a neuron sees what either branch sees.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from math import prod
from typing import NamedTuple

from resnet_cli.layers import AdaptiveAvgPool2d
from resnet_cli.tables import Column, Table
from resnet_cli.trace import Row


class Axis(NamedTuple):
    """What the neurons of a layer see of the input's rows (or columns), in pixels.

    The first neuron sees ``size`` pixels from ``start`` on, which is negative in the padding; each
    later one sees ``stride`` further (0: unevenly, or there is one neuron alone). All of them
    together see ``extent`` pixels from ``start`` on.
    """

    start: int
    size: int
    stride: int
    extent: int

    @property
    def centre(self) -> float:
        """The middle of the first neuron's window: a pixel, or half way between two."""
        twice = 2 * self.start + self.size - 1
        return twice / 2 if twice % 2 else twice // 2

    def seen(self, neuron: int, pixels: int) -> tuple[int, int]:
        """First and last pixel that a neuron sees of an input of so many pixels."""
        first = self.start + neuron * self.stride
        return max(first, 0), min(first + self.size, pixels) - 1


Field = tuple[Axis, Axis]
"""Of the height and of the width."""


def fields(rows: Sequence[Row]) -> list[Field]:
    """The receptive field of each row's output.

    A gate (squeeze-excitation) is followed on its own rows, and not through what it scales: from
    there on every neuron depends on the whole input, and the field is that of the main path.
    """
    found: list[Field] = []
    for row in rows:
        sources = [
            found[index] if index >= 0 else (_pixel(row.input[1]), _pixel(row.input[2]))
            for index in row.reads
        ]
        if row.layer.kind == "scale":
            found.append(sources[0])
        elif row.layer.kind == "addition":
            heights, widths = zip(*sources, strict=True)
            found.append((_either(*heights), _either(*widths)))
        else:
            height, width = sources[0]
            found.append((_through(row, height, 1), _through(row, width, 2)))
    return found


def _pixel(pixels: int) -> Axis:
    return Axis(0, 1, 1, pixels)


def _through(row: Row, axis: Axis, side: int) -> Axis:
    if row.layer.kind == "flatten":
        return axis._replace(size=axis.extent, stride=0)
    if isinstance(row.layer, AdaptiveAvgPool2d):
        size, pixels = row.layer.size, row.input[side]
        even = size > 1 and pixels % size == 0
        window = axis.size + (-(-pixels // size) - 1) * axis.stride
        return Axis(axis.start, window, axis.stride * (pixels // size) * even, axis.extent)
    kernel, stride, padding = row.layer.window
    if kernel == stride == 1:
        return axis
    window, step = axis.size + (kernel - 1) * axis.stride, axis.stride * stride
    return Axis(
        axis.start - padding * axis.stride, window, step, window + (row.output[side] - 1) * step
    )


def _either(one: Axis, other: Axis) -> Axis:
    assert one.stride == other.stride, "branches that are added have the same stride"
    start = min(one.start, other.start)
    size = max(one.start + one.size, other.start + other.size) - start
    return Axis(
        start, size, one.stride, size + max(one.extent - one.size, other.extent - other.size)
    )


LEVELS: dict[str, Callable[[Row], str]] = {
    "stage": lambda row: row.stage,
    "block": lambda row: row.label,
    "layer": lambda row: row.path,
}


def receptive_field(rows: Sequence[Row], level: str) -> Table:
    """A row for each stage, block or layer: the field of its last layer's output.

    ``seen`` is what the neuron in the middle sees inside of the input.
    """
    image = rows[0].input[1:]
    key = "path" if level == "layer" else level
    columns = (
        Column(key, key),
        Column("output", "output", "shape", drop=6),
        Column("stride", "stride", "exact", drop=3),
        Column("receptive_field", "receptive field", "shape"),
        Column("padding", "padding", "exact", drop=4),
        Column("centre", "centre", "exact", drop=5),
        Column("seen", "middle sees", "shape", drop=2),
        Column("coverage", "coverage", "share", drop=1),
        Column("bar", "", "bar", drop=9),
    )
    found = zip(rows, fields(rows), strict=True)
    body = []
    for name, group in groupby(found, key=lambda pair: LEVELS[level](pair[0])):
        row, field = list(group)[-1]
        body.append((name, *_line(field, row, image)))
    return Table("rows", "", columns, body)


def features(rows: Sequence[Row]) -> tuple[str, Axis]:
    """The last stage before the classifier, and its field along the height."""
    at = max(index for index, row in enumerate(rows) if row.stage != "fc")
    return rows[at].stage, fields(rows)[at][0]


def _line(field: Field, row: Row, image: tuple[int, ...]) -> tuple[object, ...]:
    height, width = field
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
