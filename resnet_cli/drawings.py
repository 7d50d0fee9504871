"""A drawing of networks before anybody has placed it: what an analysis hands to SVG, DOT and the others.

Columns of units, units of boxes in a chain, and arcs beside the chain. Raw values; nothing is
measured yet.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from resnet_cli.layers.arithmetic import Shape

Size: TypeAlias = tuple[int, int]
"""Height and width in pixels; a vector is one pixel."""


class Box(NamedTuple):
    """One layer, or a whole stage; ``lines`` is what is written on it.

    It stands for ``paths`` (torch's names of its layers) in the blocks ``labels``: several where
    blocks are folded. ``others`` are the kinds of layers without a box of their own whose
    parameters and MACs it carries. ``size`` is its output's, or that of what it gates. ``params`` and ``macs`` are of
    one repetition and one input; ``below`` is written beside the wire that leaves it.
    """

    lines: tuple[str, ...]
    kind: str
    stage: str
    labels: tuple[str, ...]
    paths: tuple[str, ...]
    others: tuple[str, ...]
    input: Shape
    output: Shape
    size: Size
    params: int
    macs: int
    below: str = ""


class Arc(NamedTuple):
    """A shortcut within a unit, from the wire into box ``start`` to box ``end``.

    Where it ends past the last box it meets the wire that leaves the unit. ``kind`` is identity,
    projection, zero padding, dropout, or scale (what a gate multiplies); ``boxes`` are its layers.
    """

    start: int
    end: int
    kind: str
    boxes: tuple[Box, ...] = ()


class Unit(NamedTuple):
    """What repeats: a block, or a layer outside of blocks with the norm and ReLU after it."""

    boxes: tuple[Box, ...]
    arcs: tuple[Arc, ...] = ()
    times: int = 1


class DrawnNetwork(NamedTuple):
    """One network, from its input on; ``open`` where it goes on past the last box.

    ``at_least``: not everything could be counted, so that it has so many parameters and MACs or more.
    """

    name: str
    units: tuple[Unit, ...]
    params: int
    macs: int
    at_least: bool = False
    open: bool = False

    @property
    def boxes(self) -> list[Box]:
        """The chain, without what stands on arcs."""
        return [box for unit in self.units for box in unit.boxes]


class Drawing(NamedTuple):
    """Networks side by side. At ``level`` layer the layers on arcs are boxes too."""

    columns: tuple[DrawnNetwork, ...]
    level: str
    direction: str
    folded: bool

    @property
    def sizes(self) -> list[Size]:
        """Every output size, the largest first: boxes of one size stand in one row."""
        sizes = {box.size for column in self.columns for box in column.boxes}
        return sorted(sizes, key=lambda size: (size[0] * size[1], size), reverse=True)
