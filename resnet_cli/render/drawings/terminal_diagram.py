"""A drawing made of signs, for a terminal: one line for each box, rows of equal output size side by side."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate, zip_longest
from textwrap import fill, wrap
from typing import NamedTuple

from resnet_cli.drawings import Box, Drawing, DrawnNetwork, Size, Unit
from resnet_cli.render.drawings import layout
from resnet_cli.render.drawings.layout import caption
from resnet_cli.render.tables.breaking import at_dots

SOLID = ("identity", "scale", "skip")
LANE = 3
"""Signs from the boxes to an arc, and from it to the next further out."""
BETWEEN = 3


APART = 2
"""Signs between a module's name, what it is and its size, which stand side by side where there is room."""
HANG = 2
"""Signs that what remains of a module's name, or stands below it, is indented."""
LEAST = 16
"""Signs of what a module is, at least, beside its name and size."""
NORTH, SOUTH, WEST, EAST = 1, 2, 4, 8
SIGNS = {
    NORTH | SOUTH: "│", WEST | EAST: "─", SOUTH | WEST: "╮", NORTH | WEST: "╯", NORTH | SOUTH | WEST: "┤",
    SOUTH | WEST | EAST: "┬", NORTH | WEST | EAST: "┴", NORTH | SOUTH | WEST | EAST: "┼",
}  # fmt: skip
"""Lines by where they lead."""
LEADS = {sign: leads for leads, sign in SIGNS.items()} | {"┈": WEST | EAST, "┊": NORTH | SOUTH}


class _Line(NamedTuple):
    """A line of a column: of a box, or one of its frame's where ``unit`` is -1."""

    text: str
    unit: int = -1
    at: int = -1


class _Painted(NamedTuple):
    """A column's lines by output size; ``margin`` is left of the frame, for ×n.

    What is on arcs is written beside them where ``shows``: at layer level, if there is room. Skips have their
    lanes from ``outside`` on.
    """

    column: DrawnNetwork
    lines: dict[Size, list[_Line]]
    margin: int
    frame: int
    width: int
    shows: bool
    outside: int


def render(drawing: Drawing, width: int | None) -> str:
    """The drawing in lines of so many signs; networks that have no room beside others stand below."""
    if drawing.direction == "right":
        return "\n".join(_flow(column, width or 100) for column in drawing.columns)
    gutter = max(len(_size(size)) for size in drawing.sizes) + 2 if drawing.has_rows else 0
    layered = drawing.level == "layer"
    groups: list[list[_Painted]] = [[]]
    for column in drawing.columns:
        painted = _painted(column, layered, width - gutter if width else None)
        taken = gutter + sum(other.width + BETWEEN for other in groups[-1])
        if width and groups[-1] and taken + painted.width > width:
            groups.append([])
        groups[-1].append(painted)
    parts = ["\n".join(_side_by_side(group, drawing.sizes, gutter)) for group in groups]
    below = [fill(text, width or 100) for text in (_key(drawing), *drawing.notes) if text]
    return "\n\n".join([*parts, *below]) + "\n"


def _key(drawing: Drawing) -> str:
    """What the lines and ×n mean, of those that there are."""
    units = [unit for column in drawing.columns for unit in column.units]
    kinds = dict.fromkeys(arc.kind for unit in units for arc in unit.arcs)
    skips = {skip.kind: None for c in drawing.columns for skip in c.skips if skip.lane is not None}
    named = {"skip": "read further on"}
    meanings = [f"{_across(kind)} {named.get(kind, kind)}" for kind in kinds | skips]
    if any(not box.follows for unit in units for box in unit.boxes):
        meanings.append("╌ what is below does not read what is above")
    if any(unit.times > 1 for unit in units):
        meanings.append("×n: n equal blocks or layers")
    return "   ".join(meanings)


def _across(kind: str) -> str:
    return "─" if kind in SOLID else "┈"


def _painted(column: DrawnNetwork, layered: bool, most: int | None) -> _Painted:
    margin = max((len(_times(unit)) for unit in column.units), default=0)
    lanes = LANE * max((max(unit.lanes, default=-1) + 1 for unit in column.units), default=0)
    on = max((len(text) + 2 for unit in column.units for text in _on_arcs(unit)), default=0)
    longest = max(len(line) for box in column.boxes for line in box.lines)
    shows = layered and (most is None or margin + longest + 4 + lanes + on <= most)
    arcs = lanes + (on if shows else 0)
    beside = arcs + LANE * column.lanes
    room = max(most - margin - beside - 4, 12) if most else 10_000
    texts = _texts(column, room)
    inner = max(len(line) for lines in texts.values() for line in lines)
    frame = inner + 4
    lines: dict[Size, list[_Line]] = {}
    before = None
    for number, unit in enumerate(column.units):
        for index, box in enumerate(unit.boxes):
            row = lines.setdefault(box.size, [])
            if not row:
                row.append(_Line(f"┌{'─' * (frame - 2)}┐"))
            elif not box.follows:
                row.append(_Line(f"├{'╌' * (frame - 2)}┤"))
            elif before is not None and (_stands_apart(before) or _stands_apart(unit)):
                row.append(_Line(f"├{'─' * (frame - 2)}┤"))
            before = None
            row += [_Line(f"│ {text.ljust(inner)} │", number, index) for text in texts[id(box)]]
        before = unit
    for row in lines.values():
        row.append(_Line(f"└{'─' * (frame - 2)}┘"))
    width = max(margin + frame + beside, *(margin + len(line) for line in _head(column)))
    return _Painted(column, lines, margin, frame, width, shows, margin + frame + arcs)


def _texts(column: DrawnNetwork, room: int) -> dict[int, list[str]]:
    """The lines of each box by its id; modules have name, what they are and size side by side where there is room."""
    of_modules = any(box.kind == "module" for box in column.boxes)
    cells = {id(box): _cells(box) for box in column.boxes if of_modules and len(box.lines) > 1}
    name, what, size = (max((len(c[at]) for c in cells.values()), default=0) for at in range(3))
    words = [word for _, text, _ in cells.values() for word in text.split()]
    least = max(map(len, words), default=0)
    part = max((len(p) + HANG for c in cells.values() for p in at_dots(c[0], 1)), default=0)
    most = room - size - 2 * APART
    named = min(name, part)  # as narrow as a name may be
    name = min(name, most - max(least, min(what, LEAST)))
    what = min(what, most - name)
    firsts = accumulate((len(unit.boxes) for unit in column.units), initial=0)
    units = zip(firsts, column.units, strict=False)
    arcs = [(first, arc) for first, unit in units for arc in unit.arcs]
    ends = {at for skip in column.skips for at in skip.targets}
    ends |= {first + arc.end - arc.joins for first, arc in arcs}
    starts = {skip.source for skip in column.skips} | {
        first + arc.start for first, arc in arcs if arc.joins
    }
    between = ends & starts
    texts = {}
    for at, box in enumerate(column.boxes):
        lines = [part for line in layout.lines(box) for part in wrap(line, room - HANG) or [""]]
        lines = [lines[0], *(" " * HANG * (box.kind == "module") + line for line in lines[1:])]
        if id(box) in cells and name >= named:
            first, middle, last = cells[id(box)]
            parts = zip_longest(
                at_dots(first, name, HANG), wrap(middle, max(what, 1)), [last], fillvalue=""
            )
            lines = [f"{a:{name + APART}}{b:{what + APART}}{c:>{size}}" for a, b, c in parts]
            lines += box.far
        if at in between and len(lines) == 1:  # a line for what comes in, and one for what goes out
            lines.append("")
        texts[id(box)] = [*lines, f"  {box.below}"] if box.below else lines
    return texts


def _cells(box: Box) -> tuple[str, str, str]:
    return (box.lines[0], "" if len(box.lines) == 2 else box.lines[1], box.lines[-1])


def _stands_apart(unit: Unit) -> bool:
    return len(unit.boxes) > 1 or bool(unit.arcs) or unit.times > 1


def _head(column: DrawnNetwork) -> tuple[str, str]:
    return (column.name, caption(column))


def _times(unit: Unit) -> str:
    return f"×{unit.times} " if unit.times > 1 else ""


def _on_arcs(unit: Unit) -> list[str]:
    return [box.lines[0] for arc in unit.arcs for box in arc.boxes]


def _size(size: Size) -> str:
    return "×".join(map(str, size))


def _side_by_side(group: list[_Painted], sizes: list[Size], gutter: int) -> Iterator[str]:
    """The lines of several columns, each row of equal output size as high as its highest."""
    heights = {size: max((len(p.lines.get(size, ())) for p in group), default=0) for size in sizes}
    drawn = [size for size in sizes if heights[size]]
    canvases = [_canvas(painted, heights, drawn) for painted in group]
    labels = {}
    at = 2
    for size in drawn:
        labels[at + 1] = _size(size)
        at += heights[size] + 1
    for number, parts in enumerate(zip(*canvases, strict=True)):
        joined = (" " * BETWEEN).join(
            part.ljust(p.width) for part, p in zip(parts, group, strict=True)
        )
        yield (labels.get(number, "").ljust(gutter) + joined).rstrip()


def _canvas(painted: _Painted, heights: dict[Size, int], drawn: list[Size]) -> list[str]:
    """One column from its name down, arcs and all."""
    grid = [[*(" " * painted.margin + text).ljust(painted.width)] for text in _head(painted.column)]
    where: dict[tuple[int, int], int] = {}
    last: dict[tuple[int, int], int] = {}
    middle = painted.margin + painted.frame // 2
    inside = False
    for size in drawn:
        lines = painted.lines.get(size, [])
        for line in [*lines, *[_Line("")] * (heights[size] + 1 - len(lines))]:
            text = " " * painted.margin + line.text
            grid.append([*text.ljust(painted.width)])
            if line.text:
                inside = True
            elif inside and size != drawn[-1]:  # the wire down to the next row
                grid[-1][middle] = "│"
            if line.unit >= 0:
                where.setdefault((line.unit, line.at), len(grid) - 1)
                last[line.unit, line.at] = len(grid) - 1
    for number, unit in enumerate(painted.column.units):
        if unit.times > 1:
            text = _times(unit)
            row = where[number, (len(unit.boxes) - 1) // 2]
            grid[row][painted.margin - len(text) : painted.margin] = text
        _arcs(painted, unit, number, where, last, grid)
    _skips(painted, [where[at] for at in sorted(where)], [last[at] for at in sorted(last)], grid)
    return ["".join(row) for row in grid[:-1]]


def _arcs(
    painted: _Painted, unit: Unit, number: int, first: dict[tuple[int, int], int],
    last: dict[tuple[int, int], int], grid: list[list[str]],
) -> None:  # fmt: skip
    """Each arc from the right of the box that it begins before to that of the one it ends in, or behind."""
    edge = painted.margin + painted.frame
    for arc, rank in zip(unit.arcs, unit.lanes, strict=True):
        start = first[number, arc.start]
        behind = arc.joins or arc.end == len(unit.boxes)
        end = last[number, arc.end - 1] if behind else first[number, arc.end]
        lane = edge + LANE * (rank + 1) - 1
        across, along = _across(arc.kind), "│" if arc.kind in SOLID else "┊"
        for row, sign, corner in ((start, across, "╮"), (end, "◄", "╯")):
            grid[row][edge : lane + 1] = [sign, *across * (lane - edge - 1), corner]
        for row in range(start + 1, end):
            grid[row][lane] = along
        beside = [box.lines[0] for box in arc.boxes] if painted.shows else []
        for text, row in zip(beside, range(start + 1, end), strict=False):
            grid[row][lane + 2 : lane + 2 + len(text)] = text


def _skips(painted: _Painted, first: list[int], last: list[int], grid: list[list[str]]) -> None:
    """Each skip from the right of its box to that of those that read it, outside of all arcs."""
    edge = painted.margin + painted.frame
    for skip in painted.column.skips:
        if skip.lane is None:
            continue
        lane = painted.outside + LANE * (skip.lane + 1) - 1
        start, ends = last[skip.source], [first[at] for at in skip.targets]
        for row in (start, *ends):
            for place in range(edge, lane):
                _draw(grid, row, place, WEST | EAST)
        _draw(grid, start, lane, SOUTH | WEST)
        for row in range(start + 1, ends[-1]):
            _draw(grid, row, lane, NORTH | SOUTH)
        for row in ends:
            _draw(grid, row, lane, NORTH | WEST)
            grid[row][edge] = "◄"


def _draw(grid: list[list[str]], row: int, place: int, leads: int) -> None:
    """Draws a line where others may be."""
    before = grid[row][place]
    if before != "◄":
        grid[row][place] = SIGNS[LEADS.get(before, 0) | leads]


def _flow(column: DrawnNetwork, width: int) -> str:
    """One network as a line of text, blocks in brackets, broken to the width."""
    words, at = [], 0
    for unit in column.units:
        text = " -> ".join(_in_words(column, at + n) for n in range(len(unit.boxes)))
        at += len(unit.boxes)
        kinds = " + ".join(arc.kind for arc in unit.arcs if arc.kind not in ("scale", "skip"))
        text = f"[{text}] + {kinds}" if kinds else f"[{text}]" if unit.times > 1 else text
        words.append(text + (f" ×{unit.times}" if unit.times > 1 else ""))
    lines = wrap(" -> ".join(words), width, initial_indent="  ", subsequent_indent="  ")
    return "\n".join([", ".join(_head(column)), *lines]) + "\n"


def _in_words(column: DrawnNetwork, at: int) -> str:
    """A box, and what it reads besides the one before it, or instead."""
    box = column.boxes[at]
    others = [column.boxes[skip.source].lines[0] for skip in column.skips if at in skip.targets]
    read = f" ({'and ' if box.follows else ''}from {', '.join(others)})" if others else ""
    return " ".join(filter(None, box.lines)) + read
