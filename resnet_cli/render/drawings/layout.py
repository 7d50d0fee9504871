"""A drawing with everything in its place: where each box, wire, arc and word stands, in pixels.

A column is laid out along ``main``, the way its data goes, at an ``offset`` from its center line,
positive where the arcs are; `_Axes` turns that to the page, downwards or to the right.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import ceil
from textwrap import wrap
from typing import NamedTuple

from resnet_cli.drawings import Arc, Box, Drawing, DrawnNetwork, Unit
from resnet_cli.render.drawings.placed import (
    SAMPLE,
    Layout,
    Placed,
    Point,
    Rect,
    Sample,
    Shortcut,
    Word,
)
from resnet_cli.render.drawings.text_width import width
from resnet_cli.render.tables.breaking import at_dots
from resnet_cli.render.tables.numbers import count

FONT, SMALL, NAME = 11, 10, 13
LINE = 14
"""From one line of text to the next."""
PAD = 8
GAP, JOINT = 12, 18
"""Between two boxes, and between two units where arcs meet."""
REACH = 6
"""How far before and after its boxes an arc leaves and joins the wire."""
LANE = 12
"""Between two arcs, and from the boxes to the first."""
FRAME, INSET = 11, 5
"""From a folded unit's boxes to its frame, along and across."""
LEAD, TAIL = 24, 16
"""Space before the first box of a row of equal output size, and after the last."""
MARGIN, BETWEEN = 16, 26
SIZES = "output size"
WIDE = 34
"""Signs of a line on a module's box."""

LEGEND = {
    "identity": "identity",
    "projection": "projection",
    "zero padding": "zero padding",
    "dropout": "dropout",
    "scale": "what a gate scales",
    "skip": "read further on",
}


class _Axes(NamedTuple):
    """Which way the data goes on the page; ``layered`` where what is on arcs has boxes."""

    down: bool
    layered: bool

    def point(self, main: float, center: float, offset: float = 0) -> Point:
        return (center + offset, main) if self.down else (main, center - offset)

    def rect(self, main: float, length: float, center: float, low: float, high: float) -> Rect:
        """The rectangle from offset ``low`` to ``high``."""
        if self.down:
            return Rect(center + low, main, high - low, length)
        return Rect(main, center - high, length, high - low)

    def length(self, box: Box) -> float:
        return _height(box) if self.down else _width(box)

    def breadth(self, box: Box) -> float:
        return _width(box) if self.down else _height(box)

    def on(self, arc: Arc) -> tuple[Box, ...]:
        return arc.boxes if self.layered else ()


class _Link(NamedTuple):
    """A box of the chain, the unit it is in, its place there, and where it is along main."""

    box: Box
    unit: int
    at: int
    start: float
    end: float


class _Laid(NamedTuple):
    """A column on the page: its number, its chain along main, half of its boxes' breadth, and its center line."""

    number: int
    column: DrawnNetwork
    chain: Sequence[_Link]
    edge: float
    center: float


def lines(box: Box) -> list[str]:
    """What is written on a box: a module's name and what it is in lines of about `WIDE` signs."""
    if box.kind != "module":
        return [*box.lines, *box.far]
    name, what, size = box.lines
    parts = wrap(what, WIDE, break_long_words=False, break_on_hyphens=False)
    return [*at_dots(name, WIDE), *parts, size, *box.far]


def titled(box: Box) -> int:
    """How many of these are a stage's or module's name."""
    return len(at_dots(box.lines[0], WIDE)) if box.kind == "module" else int(box.kind == "stage")


def is_round(box: Box) -> bool:
    """Additions are drawn as circles, or pills."""
    return (
        box.kind in ("addition", "gated addition", "scale")
        and box.lines[0] in "+×addition"
        and not box.far
    )


def place(drawing: Drawing, alone: int | None = None) -> Layout:
    """Positions and sizes for everything, from the width of the texts; nothing overlaps.

    With ``alone`` only that column is there, in the rows that it would share with the others.
    """
    axes = _Axes(drawing.direction == "down", drawing.level == "layer")
    sizes = ["×".join(map(str, size)) for size in drawing.sizes]
    heads = [
        max(width(column.name, NAME, True), width(caption(column), SMALL))
        for column in drawing.columns
    ]
    first = MARGIN + (2 * LINE if axes.down else max(heads) + BETWEEN)
    chains, rows = _along(drawing, axes, sizes, first)
    named = (SIZES, *sizes) if drawing.has_rows else ()
    gutter = max((width(text, SMALL) + BETWEEN for text in named), default=0)
    center: float = MARGIN + (gutter if axes.down else LINE + 6)
    ranks = drawing.ranks
    page = Layout(0, 0, [], [], [], [], [], [], [])
    for number, column in enumerate(drawing.columns):
        if alone not in (None, number):
            continue
        chain = chains[number]
        edge = max(*(axes.breadth(box) / 2 for box in column.boxes), _below(column) * axes.down)
        room = heads[number] / 2 if axes.down else LINE
        low, high = (max(side, room) for side in _sides(column, edge, axes))
        center += low if axes.down else high
        for link in chain:
            half = _half(link.box, edge, axes)
            at = axes.rect(link.start, link.end - link.start, center, -half, half)
            page.boxes.append(
                Placed(link.box, at, number, _name(link), ranks[link.box.size, link.box.stage])
            )
        laid = _Laid(number, column, chain, edge, center)
        page.wires.extend(_wires(laid, axes))
        for shortcut, on in _shortcuts(laid, axes):
            page.shortcuts.append(shortcut)
            page.boxes.extend(p._replace(row=ranks[p.box.size, p.box.stage]) for p in on)
        page.shortcuts.extend(_skips(laid, axes))
        for frame, word in _frames(laid, axes):
            page.frames.append(frame)
            page.words.append(word)
        page.words.extend((*_beside(chain, center, axes), *_head(column, center, axes)))
        center += (high if axes.down else low) + BETWEEN
    across = center - BETWEEN
    if drawing.has_rows:
        page.words.extend(_labels(sizes, chains, drawing, axes))
    for end in rows[:-1]:
        ends = ((MARGIN, end), (across, end)) if axes.down else ((end, MARGIN), (end, across))
        page.rules.append(ends)
    extent = (across, rows[-1]) if axes.down else (rows[-1], across)
    right, bottom = _legend(page, drawing, *extent)
    # whole pixels, or a PNG's last ones would be half transparent
    return page._replace(width=ceil(right + MARGIN), height=ceil(bottom + MARGIN))


def _height(box: Box) -> float:
    number = len(lines(box))
    return LINE * number + (6 if number == 1 else 10)


def _width(box: Box) -> float:
    wide = max(width(line, FONT, at < titled(box)) for at, line in enumerate(lines(box)))
    return max(wide + 2 * PAD, 20) if not is_round(box) or box.lines[0] == "addition" else 20


def caption(column: DrawnNetwork) -> str:
    """What stands below a network's name."""
    least = "at least " if column.at_least else ""
    return f"{least}{count(column.params, False)} params, {least}{count(column.macs, False)} MACs"


def _along(
    drawing: Drawing, axes: _Axes, sizes: Sequence[str], first: float
) -> tuple[list[list[_Link]], list[float]]:
    """Each column's chain along main, and where each row of equal output size ends."""
    within = [_within(column, axes) for column in drawing.columns]
    rows: list[float] = []
    start = first
    for size, text in zip(drawing.sizes, sizes, strict=True):
        ends = [link.end for chain in within for link in chain if link.box.size == size]
        least = 0 if axes.down else width(text, SMALL) + 6
        start += max(max(ends) + TAIL, least)
        rows.append(start)
    starts = dict(zip(drawing.sizes, [first, *rows], strict=False))
    chains = [
        [
            link._replace(
                start=link.start + starts[link.box.size], end=link.end + starts[link.box.size]
            )
            for link in chain
        ]
        for chain in within
    ]
    return chains, rows


def _within(column: DrawnNetwork, axes: _Axes) -> list[_Link]:
    """The chain, each box as far along main as it is in its own row."""
    chain: list[_Link] = []
    for number, unit in enumerate(column.units):
        for index, box in enumerate(unit.boxes):
            if chain and chain[-1].box.size == box.size:
                gap = GAP if index else _joint(column.units[number - 1], unit)
                if any(arc.joins and arc.end == index for arc in unit.arcs):
                    gap = max(gap, JOINT)
                below = chain[-1].box.below
                gap += LINE * bool(below)
                if below and not axes.down:
                    gap = max(gap, width(below, SMALL) + PAD)
                start = chain[-1].end + gap
            else:
                start = LEAD
            chain.append(_Link(box, number, index, start, start + axes.length(box)))
    return chain


def _joint(before: Unit, after: Unit) -> float:
    """The gap between two units: blocks stand apart, and frames need room."""
    gap = JOINT if len(before.boxes) > 1 or len(after.boxes) > 1 else GAP
    return gap + (REACH + 4) * ((before.times > 1) + (after.times > 1))


def _half(box: Box, edge: float, axes: _Axes) -> float:
    """Half of a box across: boxes of a column are equally wide, but for additions, which are round."""
    return edge if axes.down and not is_round(box) else axes.breadth(box) / 2


def _lane(unit: Unit, arc: Arc, edge: float, axes: _Axes) -> float:
    """The offset of an arc: outside of the boxes and of the arcs within it."""
    inner = unit.lanes[next(at for at, each in enumerate(unit.arcs) if each is arc)]
    on = max((axes.breadth(box) / 2 for box in axes.on(arc)), default=0)
    return edge + LANE * (inner + 1) + on


def _sides(column: DrawnNetwork, edge: float, axes: _Axes) -> tuple[float, float]:
    """How far a column reaches from its center, on the side without and with arcs."""
    low = high = edge
    for unit in column.units:
        high = max(high, _reach(unit, edge, axes))
        if unit.times > 1:
            times = width(_times(unit), FONT) + 4 if axes.down else LINE
            low = max(low, edge + INSET + times)
    return low, max(high, _below(column)) + LANE * column.lanes


def _below(column: DrawnNetwork) -> float:
    """How far what is written beside wires reaches from them."""
    return max((width(box.below, SMALL) + 8 for box in column.boxes if box.below), default=0)


def _reach(unit: Unit, edge: float, axes: _Axes) -> float:
    """The offset of the outermost part of a unit, its frame included."""
    reach = edge
    for arc in unit.arcs:
        half = max((axes.breadth(box) / 2 for box in axes.on(arc)), default=0)
        reach = max(reach, _lane(unit, arc, edge, axes) + half)
    return reach + (INSET if unit.times > 1 else 0)


def _times(unit: Unit) -> str:
    return f"×{unit.times}"


def _wires(laid: _Laid, axes: _Axes) -> Iterator[tuple[int, Point, Point]]:
    number, column, chain, _, center = laid
    for before, after in pairwise(chain):
        if not after.box.follows:
            continue
        yield number, axes.point(before.end, center), axes.point(after.start, center)
    if column.open:
        end = chain[-1].end
        yield number, axes.point(end, center), axes.point(end + TAIL + LINE, center)


def _shortcuts(laid: _Laid, axes: _Axes) -> Iterator[tuple[Shortcut, list[Placed]]]:
    """Each arc's way, and the boxes on it."""
    number, column, chain, edge, center = laid
    first = 0
    for index, unit in enumerate(column.units):
        for rank, arc in enumerate(unit.arcs):
            leaves, joins = first + arc.start, first + arc.end
            offset = _lane(unit, arc, edge, axes)
            start = chain[leaves].start - REACH
            side = arc.boxes[-1].size if arc.boxes else None
            beside = [link for link in chain[leaves:joins] if link.box.size == side]
            since = beside[0].start - REACH if beside else start
            if arc.end < len(unit.boxes) and not arc.joins:  # into the addition
                end = (chain[joins].start + chain[joins].end) / 2
                meets = _half(chain[joins].box, edge, axes)
            else:
                end, meets = chain[joins - 1].end + REACH, 0.0
            way = [(start, 0.0), (start, offset), (end, offset), (end, meets)]
            source = _name(chain[leaves - 1])
            target = _name(chain[joins]) if joins < len(chain) else "end"
            yield (
                Shortcut(
                    arc, unit.boxes[0].labels, tuple(axes.point(main, center, o) for main, o in way),
                    number, source, target, unit.times,
                ),
                _on(arc, f"{index}.{rank}", number, since, end, offset, center, axes),
            )  # fmt: skip
        first += len(unit.boxes)


def _skips(laid: _Laid, axes: _Axes) -> Iterator[Shortcut]:
    """Each skip's ways, from the side of its box outside of all arcs and frames to the sides of those that read it."""
    number, column, chain, edge, center = laid
    outside = max(_reach(unit, edge, axes) for unit in column.units)
    for skip in column.skips:
        if skip.lane is None:
            continue
        offset = outside + LANE * (skip.lane + 1)
        source = chain[skip.source]
        for at in skip.targets:
            target = chain[at]
            start = source.end - (source.end - source.start) / 4
            end = target.start + (target.end - target.start) / 4
            way = [
                (start, _half(source.box, edge, axes)),
                (start, offset),
                (end, offset),
                (end, _half(target.box, edge, axes)),
            ]
            arc = Arc(0, 0, skip.kind, skip.boxes)
            points = tuple(axes.point(main, center, o) for main, o in way)
            labels = (*source.box.labels[:1], *target.box.labels[:1])
            yield Shortcut(arc, labels, points, number, _name(source), _name(target), 1)


def _name(link: _Link) -> str:
    return f"{link.unit}.{link.at}"


def _on(
    arc: Arc, name: str, column: int, start: float, end: float, offset: float, center: float,
    axes: _Axes,
) -> list[Placed]:  # fmt: skip
    """The boxes on an arc, in the middle of its way."""
    boxes = axes.on(arc)
    lengths = [axes.length(box) for box in boxes]
    at = (start + end - sum(lengths) - GAP * (len(boxes) - 1)) / 2
    placed = []
    for rank, (box, length) in enumerate(zip(boxes, lengths, strict=True)):
        half = axes.breadth(box) / 2
        rect = axes.rect(at, length, center, offset - half, offset + half)
        placed.append(Placed(box, rect, column, f"{name}.side{rank}", 0))
        at += length + GAP
    return placed


def _frames(laid: _Laid, axes: _Axes) -> Iterator[tuple[Rect, Word]]:
    """The frame around each folded unit, and ×n beside it."""
    _, column, chain, edge, center = laid
    low, first = -edge - INSET, 0
    for unit in column.units:
        last = first + len(unit.boxes) - 1
        start, end = chain[first].start - FRAME, chain[last].end + FRAME
        first = last + 1
        if unit.times == 1:
            continue
        high, middle = _reach(unit, edge, axes), (start + end) / 2
        off, anchor = (4, "end") if axes.down else (8, "middle")
        word = Word(_times(unit), axes.point(middle, center, low - off), anchor, "times")
        yield axes.rect(start, end - start, center, low, high), word


def _beside(chain: Sequence[_Link], center: float, axes: _Axes) -> Iterator[Word]:
    for link, after in zip(chain, [*chain[1:], None], strict=True):
        if link.box.below and axes.down:
            main = link.end + (GAP + LINE) / 2
            yield Word(link.box.below, axes.point(main, center, 6), "start", "note")
        elif link.box.below:
            main = (link.end + after.start) / 2 if after else link.end + (GAP + LINE) / 2
            yield Word(link.box.below, axes.point(main, center, -8), "middle", "note")


def _head(column: DrawnNetwork, center: float, axes: _Axes) -> Iterator[Word]:
    if axes.down:
        yield Word(column.name, (center, MARGIN + LINE / 2), "middle", "name")
        yield Word(caption(column), (center, MARGIN + LINE * 1.5 + 2), "middle", "caption")
    else:
        yield Word(column.name, (MARGIN, center - LINE / 2 - 1), "start", "name")
        yield Word(caption(column), (MARGIN, center + LINE / 2 + 1), "start", "caption")


def _labels(
    sizes: Sequence[str], chains: Sequence[Sequence[_Link]], drawing: Drawing, axes: _Axes
) -> Iterator[Word]:
    """The output size of each row, in line with its first boxes."""
    top = MARGIN + (LINE * 1.5 + 2 if axes.down else LINE / 2)
    yield Word(SIZES, (MARGIN, top), "start", "caption")
    for size, text in zip(drawing.sizes, sizes, strict=True):
        firsts = [next((k for k in chain if k.box.size == size), None) for chain in chains]
        if axes.down:
            middle = min((link.start + link.end) / 2 for link in firsts if link)
            yield Word(text, (MARGIN, middle), "start", "size")
        else:
            start = min(link.start for link in firsts if link)
            yield Word(text, (start - LEAD + 4, top), "start", "size")


def _legend(page: Layout, drawing: Drawing, right: float, bottom: float) -> tuple[float, float]:
    """Below the drawing: a sample of each kind of arc, and what ×n means. Returns the new extent."""
    units = [unit for column in drawing.columns for unit in column.units]
    kinds = {arc.kind for unit in units for arc in unit.arcs}
    kinds |= {
        skip.kind for column in drawing.columns for skip in column.skips if skip.lane is not None
    }
    entries = [(kind, text) for kind, text in LEGEND.items() if kind in kinds]
    if any(unit.times > 1 for unit in units):
        entries.append(("", "×n: n equal blocks or layers"))
    if not entries:
        return right, bottom
    x, y = float(MARGIN), bottom + LINE
    for kind, text in entries:
        indent = SAMPLE + 6 if kind else 0
        needed = indent + width(text, SMALL)
        if x > MARGIN and x + needed > right:
            x, y = MARGIN, y + LINE + 2
        if kind:
            page.legend.append(Sample(kind, (x, y)))
        page.words.append(Word(text, (x + indent, y), "start", "legend"))
        right = max(right, x + needed)
        x += needed + MARGIN
    return right, y + LINE / 2
