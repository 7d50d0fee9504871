"""A drawing of networks before anybody has placed it: what an analysis hands to SVG, DOT and the others.

Columns of units, units of boxes in a chain, arcs beside the chain of a unit and skips beside that of the
column. Raw values; nothing is measured yet.
"""

from __future__ import annotations

from math import prod
from typing import NamedTuple, TypeAlias

from resnet_cli.layers.arithmetic import Shape

Size: TypeAlias = tuple[int, int] | tuple[()]
"""Height and width in pixels; a vector is one pixel. Nothing where boxes of equal size stand in no common row."""


class Box(NamedTuple):
    """One layer, or a whole stage or module; ``lines`` is what is written on it: of a module name, what it is and size.

    It stands for ``paths`` (torch's names of its layers) in the blocks ``labels``: several where
    blocks are folded. ``others`` are the kinds of layers without a box of their own whose
    parameters and MACs it carries. ``size`` is its output's, or that of what it gates. ``params`` and ``macs`` are of
    one repetition and one input, those of a graph of all ``times`` that it stands for and of its inputs; ``below`` is written
    beside the wire that leaves it. ``follows``: it reads the box before it; ``far`` are the boxes that it reads
    beside, where they have no lane, in words.
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
    times: int = 1
    follows: bool = True
    far: tuple[str, ...] = ()


class Arc(NamedTuple):
    """A shortcut within a unit, from the wire into box ``start`` to box ``end``.

    Where it ends past the last box it meets the wire that leaves the unit, and with ``joins`` the wire into
    that box. ``kind`` is identity, projection, zero padding, dropout, scale (what a gate multiplies), or skip (what is
    read again); ``boxes`` are its layers.
    """

    start: int
    end: int
    kind: str
    boxes: tuple[Box, ...] = ()
    joins: bool = False

    def meets(self, other: Arc) -> bool:
        """Whether two arcs stand beside the same box or wire."""
        return self.start < other.end + (not other.joins) and other.start < self.end + (
            not self.joins
        )


class Unit(NamedTuple):
    """What repeats: a block, or a layer outside of blocks with the norm and ReLU after it."""

    boxes: tuple[Box, ...]
    arcs: tuple[Arc, ...] = ()
    times: int = 1

    @property
    def lanes(self) -> list[int]:
        """For each arc its lane beside the boxes, 0 the innermost: outside of shorter ones beside the same boxes."""
        lanes = [0] * len(self.arcs)
        inner: list[int] = []
        for at in sorted(range(len(lanes)), key=lambda at: self.arcs[at].end - self.arcs[at].start):
            meets = [lanes[other] for other in inner if self.arcs[at].meets(self.arcs[other])]
            lanes[at] = max(meets, default=-1) + 1
            inner.append(at)
        return lanes


class Skip(NamedTuple):
    """A box of a column that others read further on than the next, by their places in its chain.

    ``lane`` is the skip's place beside the column, 0 the innermost; None where there is none left and the
    ``targets`` have it in words. ``kind`` is an arc's, or skip; ``boxes`` are of the layers on it.
    """

    source: int
    targets: tuple[int, ...]
    kind: str
    lane: int | None
    boxes: tuple[Box, ...] = ()


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
    skips: tuple[Skip, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def lanes(self) -> int:
        """How many lanes its skips take."""
        return max((skip.lane + 1 for skip in self.skips if skip.lane is not None), default=0)

    @property
    def boxes(self) -> list[Box]:
        """The chain, without what stands on arcs."""
        return [box for unit in self.units for box in unit.boxes]


class Drawing(NamedTuple):
    """Networks side by side. At ``level`` layer the layers on arcs are boxes too; ``notes`` say what is not as it seems."""

    columns: tuple[DrawnNetwork, ...]
    level: str
    direction: str
    folded: bool
    notes: tuple[str, ...] = ()

    @property
    def sizes(self) -> list[Size]:
        """Every output size, the largest first: boxes of one size stand in one row."""
        sizes = {box.size for column in self.columns for box in column.boxes}
        return sorted(sizes, key=lambda size: (prod(size), size), reverse=True)

    @property
    def has_rows(self) -> bool:
        """Whether boxes of one output size stand in one row."""
        return self.sizes != [()]

    @property
    def ranks(self) -> dict[tuple[Size, str], int]:
        """What colour a box of some size and stage has: that of its row, or of its stage where there are no rows."""
        rows = {size: rank for rank, size in enumerate(self.sizes)}
        boxes = [box for column in self.columns for box in column.boxes]
        on = [b for c in self.columns for unit in c.units for arc in unit.arcs for b in arc.boxes]
        stages: dict[str, int] = {}
        for column in self.columns:
            for at, stage in enumerate(dict.fromkeys(box.stage for box in column.boxes)):
                stages.setdefault(stage, at)
        return {
            (box.size, box.stage): rows.get(box.size, 0) if box.size else stages.get(box.stage, 0)
            for box in (*boxes, *on)
        }
