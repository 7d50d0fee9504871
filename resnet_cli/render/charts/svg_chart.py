"""Chart -> SVG within a page, in the page's colours and without a library: bars, and lines of any length.

Lengths are pixels before the page scales it; `text_width` gives room for every usual font.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from textwrap import wrap
from xml.sax.saxutils import escape

from resnet_cli.charts import Chart, Point
from resnet_cli.render.charts.chart_style import STYLES, Style, styles
from resnet_cli.render.charts.scale import Scale, named, scales, shortened, totals
from resnet_cli.render.drawings.text_width import width
from resnet_cli.render.tables import numbers

WIDTH, INSIDE = 480, 210
"""Of the picture across, and of a plot's inside up."""
BAR, APART = 18, 28
"""How high a bar is, and from one to the next."""
FONT, LINE, GAP = 11, 15, 8
SWATCH = 18
DASHES = {"-": "", "--": "6 3", "-.": "7 3 2 3"}
"""matplotlib's words for dashes; others are lengths in widths of the line."""
NAME, LETTERS = 24, 64
"""What a bar's name and a line of an axis' label may have."""


def svg(chart: Chart, prefix: str) -> str:
    """The chart of bars or lines; ``prefix`` begins every id, for several on one page.

    Colours are the page's: --text, --faint, --rule, --background and --series0 to --series7.
    """
    legend, top = _legend(chart)
    draw = _bars if chart.y.categories else _lines
    drawn, bottom = draw(chart, top)
    body = "\n".join([*legend, *drawn])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" width="{WIDTH}" height="{bottom}" '
        f'viewBox="0 0 {WIDTH} {bottom}" role="img" '
        f'aria-labelledby="{prefix}-title {prefix}-desc" font-size="{FONT}" fill="var(--text)">\n'
        f'<title id="{prefix}-title">{escape(chart.title)}</title>\n'
        f'<desc id="{prefix}-desc">{escape(_description(chart))}</desc>\n{body}\n</svg>\n'
    )


def _description(chart: Chart) -> str:
    names = ", ".join(series.name for series in chart.series)
    across = f" over {chart.x.label}" if chart.x.label else ""
    return f"{chart.y.label}{across}: {names}"


def _color(at: int) -> str:
    return f"var(--series{at})"


def _dash(style: Style) -> str:
    lengths = style.dash
    if not isinstance(lengths, str):
        return " ".join(f"{2 * length:g}" for length in lengths[1])
    return DASHES[lengths]


def _text(x: float, y: float, text: str, anchor: str = "start", faint: bool = False) -> str:
    ink = ' fill="var(--faint)"' if faint else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{ink}>{escape(text)}</text>'


def _legend(chart: Chart) -> tuple[list[str], float]:
    """The names of the series, as many in a row as fit, and where the next thing may begin."""
    if len(chart.series) == 1:
        return [], GAP
    parts: list[str] = []
    x, y, looks = 0.0, float(LINE), styles(chart.series)
    for at, series in enumerate(chart.series):
        name = shortened(series.name)
        needed = SWATCH + 6 + width(name, FONT)
        if x and x + needed > WIDTH:
            x, y = 0.0, y + LINE + 2
        if series.kind == "bar":
            parts.append(
                f'<rect x="{x:.1f}" y="{y - 9}" width="{SWATCH}" height="10" rx="2" fill="{_color(at)}"/>'
            )
        else:
            parts.append(_path(f"M{x:.1f},{y - 4}h{SWATCH}", looks[at], series.thin))
        parts.append(_text(x + SWATCH + 6, y, name))
        x += needed + 2 * GAP
    return parts, y + GAP


def _path(way: str, style: Style, thin: bool = False) -> str:
    dash = _dash(style)
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    width = 1 if thin else 2
    return f'<path d="{way}" fill="none" stroke="{_color(STYLES.index(style))}" stroke-width="{width}"{dashes}/>'


def _bars(chart: Chart, top: float) -> tuple[list[str], float]:
    """Parts of each bar end to end, its name before it and what it comes to behind."""
    sums = totals(p for series in chart.series for p in series.points)
    texts = {at: numbers.count(int(total), False) for at, total in sums.items()}
    names = [shortened(name, NAME) for name in chart.y.categories]
    left = max(width(name, FONT) for name in names) + GAP
    right = WIDTH - max(width(text, FONT, True) for text in texts.values()) - GAP
    scale = Scale(chart.x, 0, max(sums.values()) or 1)
    bottom = top + GAP + APART * len(chart.y.categories)
    parts = list(_across(scale, left, right, top, bottom))
    reached = dict.fromkeys(sums, 0.0)
    for number, series in enumerate(chart.series):
        for point in series.points:
            start = left + scale.at(reached[point.y]) * (right - left)
            reached[point.y] += point.x
            end = left + scale.at(reached[point.y]) * (right - left)
            y = top + GAP + APART * point.y + (APART - BAR) / 2
            told = f"{chart.y.categories[int(point.y)]}, {series.name}: {int(point.x):,} {chart.x.unit}"
            parts.append(
                f'<rect x="{start:.1f}" y="{y:.1f}" width="{end - start:.1f}" height="{BAR}" '
                f'fill="{_color(number)}" stroke="var(--background)"><title>{escape(told)}</title></rect>'
            )
    for at, name in enumerate(names):
        y = top + GAP + APART * at + APART / 2 + 4
        parts.append(_text(left - GAP, y, name, "end"))
        if at in texts:
            end = left + scale.at(sums[at]) * (right - left)
            parts.append(f'<g font-weight="bold">{_text(end + 5, y, texts[at])}</g>')
    labels, end = _label(chart.x.label, (left + right) / 2, bottom + LINE + GAP)
    return [*parts, *labels], end


def _lines(chart: Chart, top: float) -> tuple[list[str], float]:
    """A line for each series, with levels to compare it with and the names of stages below."""
    x, y = scales(chart)
    parts = [_text(0, top + LINE, chart.y.label)]
    top += LINE + GAP
    bottom = top + INSIDE
    ticks = y.ticks(6)
    left = max(width(text, FONT) for _, text in ticks) + GAP
    right = float(WIDTH - 2 * GAP)

    def place(point: Point) -> tuple[float, float]:
        return left + x.at(point.x) * (right - left), bottom - y.at(point.y) * INSIDE

    for value, text in ticks:
        height = place(Point(x.low, value))[1]
        parts.append(_rule(f"M{left:.1f},{height:.1f}H{right}"))
        parts.append(_text(left - 5, height + 4, text, "end", faint=True))
    if chart.bands:
        parts += [
            _rule(f"M{place(Point(b.start, y.low))[0]:.1f},{top}V{bottom}") for b in chart.bands
        ]
        names = named(
            chart.bands, lambda at: place(Point(at, y.low))[0], lambda name: width(name, FONT), 4
        )
        for at, name in names:
            middle = min(place(Point(at, y.low))[0], WIDTH - width(name, FONT) / 2)
            parts.append(_text(middle, bottom + LINE, name, "middle", faint=True))
    else:
        parts += _across(x, left, right, bottom, bottom)
    for name, value in chart.levels:
        height = place(Point(x.low, value))[1]
        parts.append(
            f'<path d="M{left:.1f},{height:.1f}H{right}" stroke="var(--faint)" stroke-dasharray="2 3"/>'
        )
        parts.append(_text(right, height - 4, name, "end", faint=True))
    for series, style in zip(chart.series, styles(chart.series), strict=True):
        parts += _shade(series.points, place, style)
        way = "L".join(f"{u:.1f},{v:.1f}" for u, v in _thinned([place(p) for p in series.points]))
        parts.append(_path(f"M{way}", style, series.thin))
    labels, end = _label(chart.x.label, (left + right) / 2, bottom + 2 * LINE)
    return [*parts, *labels], end


def _shade(
    points: Sequence[Point], place: Callable[[Point], tuple[float, float]], style: Style
) -> list[str]:
    """The spread of the points that have one."""
    above = [place(Point(p.x, p.high)) for p in points if p.high is not None]
    below = [place(Point(p.x, p.low)) for p in reversed(points) if p.low is not None]
    if not above:
        return []
    way = "L".join(f"{u:.1f},{v:.1f}" for u, v in (*above, *below))
    return [f'<path d="M{way}Z" fill="{_color(STYLES.index(style))}" opacity="0.15"/>']


def _thinned(places: Sequence[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """Of more places than can be told apart the first, lowest, highest and last of each pixel across."""
    if len(places) <= 2 * WIDTH:
        yield from places
        return
    for _, group in groupby(places, key=lambda place: round(place[0])):
        near = list(group)
        kept = {near[0], min(near, key=lambda p: p[1]), max(near, key=lambda p: p[1]), near[-1]}
        yield from sorted(kept, key=near.index)


def _across(scale: Scale, left: float, right: float, top: float, bottom: float) -> Iterator[str]:
    """Ticks of the x axis, with lines up to ``top``."""
    for value, text in scale.ticks(5):
        at = left + scale.at(value) * (right - left)
        yield _rule(f"M{at:.1f},{top:.1f}V{bottom + 4:.1f}")
        yield _text(at, bottom + LINE, text, "middle", faint=True)


def _rule(way: str) -> str:
    return f'<path d="{way}" stroke="var(--rule)" fill="none"/>'


def _label(text: str, middle: float, top: float) -> tuple[list[str], float]:
    """The axis' label below it, kept on the picture; returns where the picture ends."""
    lines = wrap(text, LETTERS)
    half = max((width(line, FONT) / 2 for line in lines), default=0)
    at = max(min(middle, WIDTH - half), half)
    drawn = [_text(at, top + LINE * (n + 0.6), line, "middle") for n, line in enumerate(lines)]
    return drawn, round(top + LINE * (len(lines) + 0.3))
