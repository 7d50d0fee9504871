"""From an axis' numbers to places on a picture, and the round numbers to write beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import ceil, floor, inf, log2, log10
from typing import NamedTuple

from resnet_cli.charts import Axis, Band, Chart, Point

MANTISSAS = ((1, 1.5, 2, 3, 4, 5, 6, 8), (1, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,))
"""Which numbers of a decade are written on a logarithmic axis; the first that are few enough."""


class Scale(NamedTuple):
    """What a picture shows of an axis: ``low`` to ``high``."""

    axis: Axis
    low: float
    high: float

    def at(self, value: float) -> float:
        """The place of a value: 0 at the low end, 1 at the high one."""
        low, high = self.low, self.high
        if self.axis.log:
            low, high, value = log10(low), log10(high), log10(value)
        return (value - low) / (high - low)

    def ticks(self, most: int) -> list[tuple[float, str]]:
        """At most so many (but one or two) round values on the axis, each with its text."""
        if self.axis.categories:
            return list(enumerate(self.axis.categories))
        values = self._decades(most) if self.axis.log else self._steps(most)
        return [(value, text(self.axis.kind, value)) for value in values]

    def _steps(self, most: int) -> list[float]:
        step = round_step((self.high - self.low) / max(most, 1), self.axis.kind)
        first, last = ceil(self.low / step - 1e-9), floor(self.high / step + 1e-9)
        return [step * count for count in range(first, last + 1)]

    def _decades(self, most: int) -> list[float]:
        first, last = floor(log10(self.low)), ceil(log10(self.high))
        for mantissas in MANTISSAS:
            values = [m * 10.0**e for e in range(first, last + 1) for m in mantissas]
            inside = [v for v in values if self.low * 0.9999 <= v <= self.high * 1.0001]
            if len(inside) <= most:
                return inside
        every = ceil(len(inside) / max(most, 1))
        return inside[::every]


def round_step(least: float, kind: str) -> float:
    """The smallest round step of at least so much: 1, 2, 5, 10, …; of bytes a power of 2."""
    if kind == "bytes":
        return 2.0 ** max(0, ceil(log2(least)))
    power = 10.0 ** floor(log10(least))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= least * (1 - 1e-9))
    return max(step, 1.0) if kind == "exact" else step


def text(kind: str, value: float) -> str:
    """A round value as short as it can be: 2G, 64 MiB, 20%, 1e-5."""
    if kind == "exact":
        return f"{value:,.0f}"
    if kind == "share":
        return f"{100 * value:g}%"
    if kind == "bytes":
        for unit in ("B", "KiB", "MiB", "GiB", "TiB", "PiB"):
            if abs(value) < 1024 or unit == "PiB":
                return f"{value:,g} {unit}" if value else "0"
            value /= 1024
    if kind == "count":
        for unit in ("", "K", "M", "G", "T", "P"):
            if abs(value) < 999.5 or unit == "P":
                return f"{value:g}{unit}"
            value /= 1000
    if value and not 1e-3 <= abs(value) < 1e4:
        mantissa, _, exponent = f"{value:.0e}".partition("e")
        return f"{mantissa}e{int(exponent)}"
    return f"{value:g}"


def scales(chart: Chart) -> tuple[Scale, Scale]:
    """The scales of x and y that hold every point, spread and level, with some room around."""
    points = [point for series in chart.series for point in series.points]
    if chart.y.categories:
        widest = max(totals(points).values(), default=1)
        return Scale(chart.x, 0, widest * 1.02), Scale(chart.y, -0.5, len(chart.y.categories) - 0.5)
    heights = [end for p in points for end in (p.y, p.low, p.high) if end is not None]
    heights += [value for _, value in chart.levels]
    lines = chart.series[0].kind == "line"  # else points with names, which need room
    if chart.bands:
        across = Scale(chart.x, chart.bands[0].start, chart.bands[-1].end)
    else:
        across = around(chart.x, [point.x for point in points], room=0.03 if lines else 0.08)
    return across, around(chart.y, heights, lines, room=0.06 if lines else 0.15)


def named(
    bands: Sequence[Band],
    place: Callable[[float], float],
    width: Callable[[str], float],
    gap: float,
) -> list[tuple[float, str]]:
    """The middles and names of the bands whose names don't meet, the widest bands first."""
    taken: list[tuple[float, float]] = []
    middles = []
    for band in sorted(bands, key=lambda band: band.start - band.end):
        middle = (band.start + band.end) / 2
        at, half = place(middle), width(band.name) / 2
        if all(abs(at - other) >= half + wide + gap for other, wide in taken):
            taken.append((at, half))
            middles.append((middle, band.name))
    return sorted(middles)


def shortened(name: str, most: int = 40) -> str:
    """A name of a file's own may be long; its middle is left out."""
    return name if len(name) <= most else f"{name[: most // 2]}…{name[-most // 2 + 1 :]}"


def totals(points: Iterable[Point]) -> dict[float, float]:
    """How far the bars of each category reach."""
    sums: dict[float, float] = {}
    for point in points:
        sums[point.y] = sums.get(point.y, 0) + point.x
    return sums


def around(
    axis: Axis, values: Iterable[float], from_zero: bool = True, room: float = 0.06
) -> Scale:
    """All values and some room; from 0 on where asked and they come near it, unless logarithmic."""
    low, high = inf, -inf
    for value in values:
        low, high = min(low, value), max(high, value)
    if axis.log:
        stretch = (high / low) ** room if high > low else 2
        return Scale(axis, low / stretch, high * stretch)
    if from_zero and 0 <= low <= high / 2:
        return Scale(axis, 0, high * (1 + room) or 1)
    gap = (high - low) * room or abs(high) * room or 1
    return Scale(axis, low - gap, high + gap)
