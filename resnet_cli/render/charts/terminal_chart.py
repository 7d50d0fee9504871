"""Chart -> text for a terminal: bars, lines of dots, and points that a list below names.

No line is wider than the width. Where the terminal has no colours, signs tell the series apart;
where it has no more than ASCII, everything is drawn in that.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby, pairwise
from string import ascii_letters, digits
from textwrap import wrap

from resnet_cli.charts import Chart, Point
from resnet_cli.render.charts.chart_style import STYLES, Style, styled, styles
from resnet_cli.render.charts.scale import Scale, named, scales, totals
from resnet_cli.render.tables import numbers

ROWS = 18
"""Lines of a plot's inside."""
NARROWEST = 30
THIN = 3
"""A thin line has every so many of the dots."""
DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""The bits of a braille letter by row and column, after U+2800."""
SIGNS = "│┤└─┬" + "".join(style.sign[0] + style.fill[0] for style in STYLES) + chr(0x28FF)
"""What an encoding must have for a drawing in Unicode."""
LETTERS = ascii_letters + digits
"""Name points; where these are not enough the rest is a dot."""

Cell = tuple[str, int | None]
"""A sign and its colour, of the 256 of a terminal."""
BLANK: Cell = (" ", None)
DIM = 245


class Pen:
    """How to write: whether in colour, and whether in Unicode."""

    def __init__(self, color: bool, unicode: bool) -> None:
        self.color, self.unicode = color, unicode

    def ink(self, text: str, ansi: int | None) -> str:
        """The text in that colour."""
        return f"\x1b[38;5;{ansi}m{text}\x1b[0m" if self.color and ansi is not None else text

    def bold(self, text: str) -> str:
        """The text in bold type."""
        return f"\x1b[1m{text}\x1b[0m" if self.color else text

    def line(self, cells: Sequence[Cell]) -> str:
        """Cells as text, without blanks at the end."""
        runs = groupby(cells, key=lambda cell: cell[1])
        return "".join(self.ink("".join(s for s, _ in run), ansi) for ansi, run in runs).rstrip()

    def sign(self, style: Style) -> str:
        """What marks a series' line."""
        return style.sign[0 if self.unicode else 1]

    def fill(self, style: Style) -> str:
        """What its bars are made of."""
        return style.fill[0 if self.unicode else 1]

    def frame(self, sign: str) -> str:
        """A corner, tick or side of a frame."""
        return sign if self.unicode else {"│": "|", "┤": "+", "└": "+", "─": "-", "┬": "+"}[sign]


def render(chart: Chart, width: int, color: bool, unicode: bool) -> str:
    """Title, legend, plot and notes, as far as there are any, none wider than ``width`` (but `NARROWEST`)."""
    width, pen = max(width, NARROWEST), Pen(color, unicode)
    draw = {"bar": _bars, "scatter": _scatter, "line": _lines}[chart.series[-1].kind]
    title = [pen.bold(line) for line in wrap(chart.title, width)]
    notes = [line for note in chart.notes for line in wrap(note, width)]
    parts = [title, draw(chart, width, pen), notes]
    return "\n\n".join("\n".join(lines) for lines in parts if lines) + "\n"


def _legend(entries: Sequence[tuple[str, str, int | None]], width: int, pen: Pen) -> list[str]:
    """Signs with what they stand for, as many on a line as fit."""
    lines, used = [""], 0
    for sign, name, ansi in entries:
        entry = _cut(f"{sign} {name}", width, pen)
        if used and used + 3 + len(entry) > width:
            lines.append("")
            used = 0
        lines[-1] += ("   " if used else "") + pen.ink(entry, ansi)
        used += (3 if used else 0) + len(entry)
    return lines


def _bars(chart: Chart, width: int, pen: Pen) -> list[str]:
    """One line for each category, its parts as long as their share, rounded to fit the total."""
    used = [
        (pen.fill(styled(at)) * 2, s.name, styled(at).ansi) for at, s in enumerate(chart.series)
    ]
    lengths = totals(p for series in chart.series for p in series.points)
    names = [_cut(name, width // 3, pen) for name in chart.y.categories]
    left, right = max(map(len, names)) + 1, 9
    room = width - left - right
    most = max(lengths.values()) or 1
    lines = [*_legend(used, width, pen), ""]
    for at, name in enumerate(names):
        cells: list[Cell] = [(sign, None) for sign in name.rjust(left - 1) + " "]
        reached = 0.0
        for index, series in enumerate(chart.series):
            for point in series.points:
                if point.y == at:
                    first, reached = round(reached / most * room), reached + point.x
                    sign = (pen.fill(styled(index)), styled(index).ansi)
                    cells += [sign] * (round(reached / most * room) - first)
        total = numbers.count(int(lengths.get(at, 0)), False)
        lines.append(pen.line([*cells, *((sign, None) for sign in f" {total}")]))
    scale = Scale(chart.x, 0, most)
    lines += _across(scale, left, room, width, pen, chart.x.label)
    return lines


class Canvas:
    """The inside of a plot: cells of dots, two across and four up, and signs on top of them."""

    def __init__(self, x: Scale, y: Scale, width: int, pen: Pen) -> None:
        self.x, self.y, self.width, self.pen = x, y, width, pen
        self.dots = [[0] * width for _ in range(ROWS)]
        self.owner: list[list[Style | int | None]] = [[None] * width for _ in range(ROWS)]
        self.signs: dict[tuple[int, int], Cell] = {}

    def at(self, point: Point) -> tuple[int, int]:
        """Column and row of dots, the row from the top."""
        across = round(self.x.at(point.x) * (2 * self.width - 1))
        return across, round((1 - self.y.at(point.y)) * (4 * ROWS - 1))

    def cell(self, point: Point) -> tuple[int, int]:
        """Row and column of the sign at a point."""
        across, down = self.at(point)
        return down // 4, across // 2

    def line(
        self, one: Point, other: Point, owner: Style | int, every: int = 1
    ) -> list[tuple[int, int]]:
        """Dots from one point to another, all or ``every`` so many; returns the cells on the way."""
        (a, b), (c, d) = self.at(one), self.at(other)
        steps, way = max(abs(c - a), abs(d - b), 1), []
        for step in range(0, steps + 1, every):
            across, down = a + round((c - a) * step / steps), b + round((d - b) * step / steps)
            self.dot(across, down, owner)
            way.append((down // 4, across // 2))
        return way

    def dot(self, across: int, down: int, owner: Style | int) -> None:
        """One dot, if it is inside."""
        if 0 <= across < 2 * self.width and 0 <= down < 4 * ROWS:
            row, column = down // 4, across // 2
            self.dots[row][column] |= DOTS[down % 4][across % 2]
            self.owner[row][column] = owner

    def row(self, at: int) -> list[Cell]:
        """A line of cells from the top."""
        cells = []
        for column in range(self.width):
            owner, dots = self.owner[at][column], self.dots[at][column]
            if (at, column) in self.signs:
                cells.append(self.signs[at, column])
            elif owner is None:
                cells.append(BLANK)
            elif isinstance(owner, int):  # no series: the front, a level
                cells.append((chr(0x2800 + dots) if self.pen.unicode else ".", owner))
            else:
                sign = chr(0x2800 + dots) if self.pen.unicode else self.pen.sign(owner)
                cells.append((sign, owner.ansi))
        return cells


def _lines(chart: Chart, width: int, pen: Pen) -> list[str]:
    """Lines of dots, the sign of each at some places on it."""
    looks = styles(chart.series)
    used = [
        (("." if series.thin else "") + pen.sign(style), series.name, style.ansi)
        for series, style in zip(chart.series, looks, strict=True)
    ]
    canvas, margin = _canvas(chart, width, pen)
    for name, value in chart.levels:
        down = canvas.at(Point(canvas.x.low, value))[1]
        for across in range(0, 2 * canvas.width, 4):
            canvas.dot(across, down, DIM)
        for at, sign in enumerate(_cut(name, canvas.width, pen)):
            column = canvas.width - min(len(name), canvas.width) + at
            canvas.signs[max(down // 4 - 1, 0), column] = (sign, DIM)
    ways = []
    for series, style in zip(chart.series, looks, strict=True):
        pairs = pairwise([series.points[0], *series.points])
        every = THIN if series.thin else 1
        ways.append([c for pair in pairs for c in canvas.line(*pair, style, every)])
    for index, (way, style) in enumerate(zip(ways, looks, strict=True)):
        _mark(canvas, list(dict.fromkeys(way)), style, index, len(ways))
    return [*_legend(used, width, pen), "", *_framed(chart, canvas, margin, width, pen)]


def _mark(
    canvas: Canvas, way: Sequence[tuple[int, int]], style: Style, index: int, of: int
) -> None:
    """A line's sign at its end and every so many cells, where no other has put its own."""
    every = 10
    first = every * (index + 1) // (of + 1)
    for cell in (way[-1], *way[first::every]):
        canvas.signs.setdefault(cell, (canvas.pen.sign(style), style.ansi))


def _scatter(chart: Chart, width: int, pen: Pen) -> list[str]:
    """A letter for each point, and a list of what they are by series."""
    canvas, margin = _canvas(chart, width, pen)
    drawn = [series for series in chart.series if series.kind == "scatter"]
    best: set[str] = set()
    for series in chart.series:
        if series.kind == "front":
            end = series.points[-1]
            best |= {point.label for point in series.points}
            for one, other in pairwise([*series.points, Point(canvas.x.high, end.y)]):
                canvas.line(one, Point(other.x, one.y), DIM)
                canvas.line(Point(other.x, one.y), other, DIM)
    letters = iter(LETTERS)
    lists: list[tuple[int, str, list[str]]] = []
    for index, series in enumerate(drawn):
        entries = []
        for point in sorted(series.points):
            letter = next(letters, ".")
            canvas.signs[_free(canvas, canvas.cell(point))] = (letter, styled(index).ansi)
            star = " *" if point.label in best else ""
            cost = numbers.count(int(point.x), False)
            entries.append(f"{letter} {point.label}  {cost}  {point.y:g}{chart.y.unit}{star}")
        lists.append((styled(index).ansi, series.name, entries))
    lines = _framed(chart, canvas, margin, width, pen)
    if best:
        lines += ["", *wrap("* on the Pareto front, the line of dots", width)]
    for ansi, name, entries in lists:
        lines += ["", pen.ink(_cut(name, width, pen), ansi), *_columns(entries, width, pen)]
    return lines


def _free(canvas: Canvas, cell: tuple[int, int]) -> tuple[int, int]:
    """The nearest cell without a sign, so that none hides another."""
    row, column = cell
    cells = (
        (row + down, column + across)
        for reach in range(ROWS)
        for across in range(-reach, reach + 1)
        for down in (reach - abs(across), abs(across) - reach)
    )
    inside = (c for c in cells if 0 <= c[0] < ROWS and 0 <= c[1] < canvas.width)
    return next((c for c in inside if c not in canvas.signs), cell)


def _columns(entries: Sequence[str], width: int, pen: Pen) -> list[str]:
    """Short texts in as many columns as fit, read from top to bottom."""
    cut = [_cut(entry, width - 2, pen) for entry in entries]
    each = max(map(len, cut)) + 3
    columns = max(1, (width + 1) // each)
    rows = -(-len(cut) // columns)
    return [
        ("  " + "".join(entry.ljust(each) for entry in cut[at::rows])).rstrip()[:width]
        for at in range(rows)
    ]


def _canvas(chart: Chart, width: int, pen: Pen) -> tuple[Canvas, int]:
    """The plot's inside and how far its left side is from the terminal's."""
    x, y = scales(chart)
    margin = max(len(text) for _, text in y.ticks(ROWS // 3)) + 2
    return Canvas(x, y, max(width - margin, 8), pen), margin


def _framed(chart: Chart, canvas: Canvas, margin: int, width: int, pen: Pen) -> list[str]:
    """The plot with both axes, their ticks and labels."""
    ticks: dict[int, str] = {}
    for value, text in canvas.y.ticks(ROWS // 3):
        ticks.setdefault(canvas.at(Point(canvas.x.low, value))[1] // 4, text)
    lines = wrap(chart.y.label, width)
    for row in range(ROWS):
        text = ticks.get(row, "")
        side = pen.frame("┤" if text else "│")
        lines.append(f"{text.rjust(margin - 2)} {side}" + pen.line(canvas.row(row)))
    if not chart.bands:
        return lines + _across(canvas.x, margin, canvas.width, width, pen, chart.x.label)
    starts = [round(canvas.x.at(band.start) * (canvas.width - 1)) for band in chart.bands]
    names = named(chart.bands, lambda x: canvas.x.at(x) * (canvas.width - 1), len, 1)
    middles = [(round(canvas.x.at(x) * (canvas.width - 1)), name) for x, name in names]
    return lines + _axis(starts, middles, margin, canvas.width, width, pen, chart.x.label)


def _across(scale: Scale, margin: int, room: int, width: int, pen: Pen, label: str) -> list[str]:
    """The x axis with its ticks."""
    ticks = [(round(scale.at(v) * (room - 1)), text) for v, text in scale.ticks(max(room // 10, 2))]
    return _axis([at for at, _ in ticks], ticks, margin, room, width, pen, label)


def _axis(
    marks: Sequence[int],
    texts: Sequence[tuple[int, str]],
    margin: int,
    room: int,
    width: int,
    pen: Pen,
    label: str,
) -> list[str]:
    """A line with marks, texts centred below it where they don't meet, and the axis' label."""
    rule = [pen.frame("─")] * room
    for at in marks:
        rule[min(at, room - 1)] = pen.frame("┬")
    below, free = [" "] * width, 0
    for at, text in texts:
        start = min(max(margin + at - len(text) // 2, 0), width - len(text))
        if start >= free:
            below[start : start + len(text)] = text
            free = start + len(text) + 1
    corner = " " * (margin - 1) + pen.frame("└")
    centred = [(" " * max((width - len(line)) // 2, 0)) + line for line in wrap(label, width)]
    return [corner + "".join(rule), "".join(below).rstrip(), *centred]


def _cut(text: str, most: int, pen: Pen) -> str:
    """A name that is too long for its place."""
    return text if len(text) <= most else text[: most - 1] + ("…" if pen.unicode else "~")
