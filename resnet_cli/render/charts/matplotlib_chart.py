"""Chart -> SVG, PNG or PDF through matplotlib; the same chart always gives the same file.

Everything is measured before it is placed: title, legend, axes and notes stand one below another,
and no text is cut.
"""

from __future__ import annotations

import warnings
from io import BytesIO
from itertools import pairwise
from typing import Any

import matplotlib
import matplotlib.style
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from resnet_cli.charts import Chart, Point, Series
from resnet_cli.render.charts.chart_style import Style, styled
from resnet_cli.render.charts.placement import Extent, place
from resnet_cli.render.charts.scale import named, scales, totals
from resnet_cli.render.tables import numbers

DOTS = 100
"""Pixels an inch that lengths below are in; a PNG has twice as many."""
WIDTH, HEIGHT = 960.0, 540.0
EDGE, GAP = 24.0, 12.0
LOOK: dict[str, Any] = {
    "svg.fonttype": "none",  # text that can be selected
    "svg.hashsalt": "resnet-cli",  # ids that stay the same
    "pdf.fonttype": 42,
    "text.parse_math": False,  # a network may be called $x$
    "text.hinting": "none",
    "font.family": ["DejaVu Sans", "sans-serif"],
    "font.size": 11.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#444444",
    "xtick.color": "#444444",
    "ytick.color": "#444444",
    "hatch.linewidth": 0.9,
}
METADATA: dict[str, dict[str, Any]] = {  # no dates, and no versions
    ".svg": {"Date": None, "Creator": None},
    ".png": {"Software": None},
    ".pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
GREY, FAINT = "#555555", "#DDDDDD"


def render(chart: Chart, suffix: str) -> bytes:
    """The content of a file with that suffix: .svg, .png or .pdf."""
    out = BytesIO()
    with matplotlib.style.context(["default", LOOK]), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a sign that the font lacks is a box in a PNG, no matter
        Picture(chart).figure.savefig(
            out, format=suffix[1:], dpi=2 * DOTS, metadata=METADATA[suffix]
        )
    return out.getvalue()


class Picture:
    """A figure while it is put together, in the style ``LOOK``."""

    def __init__(self, chart: Chart) -> None:
        self.chart = chart
        self.height = HEIGHT + max(0.0, 26.0 * (len(chart.y.categories) - 10))
        self.figure = Figure(figsize=(WIDTH / DOTS, self.height / DOTS), dpi=DOTS)
        self.renderer = FigureCanvasAgg(self.figure).get_renderer()  # type: ignore[no-untyped-call]
        self.x, self.y = scales(chart)
        self.axes = self.figure.add_subplot()
        self.handles: list[tuple[Any, str]] = []
        self._scale()
        drawn = [series for series in chart.series if series.kind != "front"]
        for series in chart.series:
            if series.kind == "front":
                self._front(series)
        for at, series in enumerate(drawn):
            {"line": self._line, "scatter": self._scatter, "bar": self._bars}[series.kind](
                series, styled(at), at
            )
        for name, value in chart.levels:
            self._level(name, value)
        if chart.y.categories:
            self._totals()
        bottom, top = self._texts()
        self._fit(bottom, top)
        if chart.bands:
            self._bands()
        self._fit(bottom, top)  # the labels of ticks grow a little as the axes do
        self._names()

    def _scale(self) -> None:
        axes, x, y = self.axes, self.x, self.y
        if x.axis.log:
            axes.set_xscale("log")
        if y.axis.log:
            axes.set_yscale("log")
        axes.set_xlim(x.low, x.high)
        axes.set_ylim(*((y.high, y.low) if y.axis.categories else (y.low, y.high)))
        for axis, scale, most in ((axes.xaxis, x, 9), (axes.yaxis, y, 7)):
            ticks = scale.ticks(most)
            if axis is axes.xaxis and self.chart.bands:
                ticks = [(self.x.low, "")]
            axis.set_ticks([value for value, _ in ticks], [shortened(text) for _, text in ticks])
            axis.set_ticks([], minor=True)
        axes.set_xlabel(x.axis.label, labelpad=8)
        axes.grid(True, axis="x" if y.axis.categories else "y", color=FAINT, linewidth=0.8)
        axes.set_axisbelow(True)
        if y.axis.categories:
            axes.tick_params(axis="y", length=0)

    def _front(self, series: Series) -> None:
        """From each point right, then down to the next; on to the edge after the last."""
        xs = [*(p.x for p in series.points), self.x.high]
        ys = [*(p.y for p in series.points), series.points[-1].y]
        style: dict[str, Any] = {"color": "#999999", "linewidth": 1.4, "zorder": 1.5}
        self.axes.step(xs, ys, where="post", **style)
        self.handles.append((Line2D([], [], **style), series.name))

    def _line(self, series: Series, style: Style, at: int) -> None:
        xs, ys = [p.x for p in series.points], [p.y for p in series.points]
        look: dict[str, Any] = {
            "color": style.color, "linestyle": style.dash, "linewidth": 2, "marker": style.marker,
            "markersize": 6.5, "markeredgecolor": "white", "markeredgewidth": 0.7,
        }  # fmt: skip
        apart = (0.02 * (at % 4), 0.08)  # in the length of a diagonal; lines may run together
        self.axes.plot(xs, ys, markevery=apart, zorder=3, **look)
        spread = [(p.x, p.low, p.high) for p in series.points if p.low is not None and p.high]
        if spread:
            at_x, low, high = zip(*spread, strict=True)
            self.axes.fill_between(at_x, low, high, color=style.color, alpha=0.18, linewidth=0)
        self.handles.append((Line2D([], [], **look), series.name))

    def _scatter(self, series: Series, style: Style, at: int) -> None:
        look: dict[str, Any] = {
            "color": style.color, "marker": style.marker, "linestyle": "none",
            "markersize": MARKER, "markeredgecolor": "white", "markeredgewidth": 0.8,
        }  # fmt: skip
        xs, ys = [p.x for p in series.points], [p.y for p in series.points]
        self.axes.plot(xs, ys, zorder=4, clip_on=False, **look)
        self.handles.append((Line2D([], [], **look), series.name))

    def _bars(self, series: Series, style: Style, at: int) -> None:
        before = totals(p for other in self.chart.series[:at] for p in other.points)
        look: dict[str, Any] = {
            "facecolor": style.color, "hatch": style.hatch, "edgecolor": "white", "linewidth": 0.8,
        }  # fmt: skip
        self.axes.barh(
            [p.y for p in series.points],
            [p.x for p in series.points],
            left=[before.get(p.y, 0) for p in series.points],
            height=0.62,
            zorder=3,
            **look,
        )
        self.handles.append((Patch(**look), series.name))

    def _level(self, name: str, value: float) -> None:
        self.axes.axhline(value, color=GREY, linewidth=1, linestyle=(0, (2, 3)), zorder=2)
        self.axes.annotate(
            name, (1, value), (-2, 3), xycoords=("axes fraction", "data"),
            textcoords="offset points", ha="right", va="bottom", color=GREY, fontsize=9.5,
        )  # fmt: skip

    def _texts(self) -> tuple[float, float]:
        """Title and legend at the top, notes at the bottom; returns what is left between them."""
        figure, height = self.figure, self.height
        title = figure.text(
            EDGE / WIDTH,
            1 - EDGE / height,
            self.chart.title,
            fontsize=15,
            fontweight="bold",
            va="top",
        )
        top = self._legend(title.get_window_extent(self.renderer).y0 - GAP)
        if not self.y.axis.categories:  # upright above the axis, where it is easily read
            label = figure.text(
                EDGE / WIDTH, (top - 1.5 * GAP) / height, self.y.axis.label, va="top"
            )
            top = label.get_window_extent(self.renderer).y0 + GAP / 2
        notes = "\n".join(line for note in self.chart.notes for line in self._wrapped(note))
        caption = figure.text(
            EDGE / WIDTH,
            EDGE / 1.5 / height,
            notes,
            fontsize=SMALL,
            color=GREY,
            va="bottom",
            linespacing=1.35,
        )
        return caption.get_window_extent(self.renderer).y1 + GAP, top - 1.5 * GAP

    def _fit(self, bottom: float, top: float) -> None:
        """Makes the axes with all their labels fill the width and this height."""
        inner = self.axes.get_window_extent(self.renderer)
        outer = self.axes.get_tightbbox(self.renderer)
        assert outer is not None
        x0, x1 = EDGE + inner.x0 - outer.x0, WIDTH - EDGE - max(outer.x1 - inner.x1, 0)
        y0, y1 = bottom + inner.y0 - outer.y0, top - max(outer.y1 - inner.y1, 0)
        room = (max(x1 - x0, 120) / WIDTH, max(y1 - y0, 120) / self.height)
        self.axes.set_position((x0 / WIDTH, y0 / self.height, *room))

    def _legend(self, top: float) -> float:
        """Names of the series in as few rows as fit; returns where it ends."""
        handles = [handle for handle, _ in self.handles]
        names = [shortened(name) for _, name in self.handles]
        handle = 1.4 if self._scattered() else 2.6
        for rows in range(1, len(names) + 1):
            columns = -(-len(names) // rows)
            order = [at for column in range(columns) for at in range(column, len(names), columns)]
            legend = self.figure.legend(
                [handles[at] for at in order], [names[at] for at in order],
                ncols=columns, loc="upper left", frameon=False,
                bbox_to_anchor=(EDGE / WIDTH, top / self.height), borderpad=0, borderaxespad=0,
                handlelength=handle, columnspacing=1.6, handletextpad=0.6, fontsize=10.5,
            )  # fmt: skip
            box = legend.get_window_extent(self.renderer)
            if box.x1 <= WIDTH - EDGE or columns == 1:
                break
            legend.remove()
        return float(box.y0)

    def _wrapped(self, note: str) -> list[str]:
        """A note in lines that are no wider than the picture."""
        lines = [""]
        for word in note.split(" "):
            longer = f"{lines[-1]} {word}".strip()
            if self._size(longer, SMALL)[0] > WIDTH - 2 * EDGE:
                lines.append(word)
            else:
                lines[-1] = longer
        return lines

    def _size(self, text: str, size: float) -> tuple[float, float]:
        """Width and height; a line is as high as one with ascenders and descenders."""
        font = FontProperties(family=LOOK["font.family"], size=size)
        width, *_ = self.renderer.get_text_width_height_descent(text, font, False)
        _, height, _ = self.renderer.get_text_width_height_descent("lp", font, False)
        return width, height

    def _bands(self) -> None:
        """The stages' names below the axis, where they do not meet; their ends as thin lines."""
        for band in self.chart.bands:
            self.axes.axvline(band.start, color=FAINT, linewidth=0.8, zorder=1)
        names = named(
            self.chart.bands,
            lambda x: self._at(Point(x, self.y.low))[0],
            lambda name: self._size(name, LOOK["font.size"])[0],
            GAP / 2,
        )
        self.axes.xaxis.set_ticks([at for at, _ in names], [name for _, name in names])
        self.axes.tick_params(axis="x", length=0, pad=7)

    def _totals(self) -> None:
        """What each bar comes to, at its end."""
        points = [p for series in self.chart.series for p in series.points]
        for at, total in totals(points).items():
            self.axes.annotate(
                numbers.count(int(total), False), (total, at), (5, 0),
                textcoords="offset points", va="center", fontsize=10, fontweight="bold",
            )  # fmt: skip

    def _names(self) -> None:
        """The names of points, with leaders where they stand apart."""
        points = [(p, styled(at)) for at, s in enumerate(self._scattered()) for p in s.points]
        if not points:
            return
        inside = self.axes.get_window_extent(self.renderer)
        frame = Extent(inside.x0 + 2, inside.y0 + 2, WIDTH - EDGE / 2, inside.y1 + 8)
        places = [self._at(p) for p, _ in points]
        sizes = [(w + 6, h) for w, h in (self._size(p.label, NAME) for p, _ in points)]
        radius = MARKER * DOTS / 72 / 2 + 1
        names = place(places, sizes, frame, radius, self._stairs())
        for (point, style), at, placed in zip(points, places, names, strict=True):
            if placed is None:
                continue
            offset = (
                (placed.extent.left - at[0]) * 72 / DOTS,
                (placed.extent.bottom - at[1]) * 72 / DOTS,
            )
            self.axes.annotate(
                point.label, (point.x, point.y), offset, textcoords="offset points", fontsize=NAME,
                va="bottom", color=darker(style.color), annotation_clip=False, zorder=5,
            )  # fmt: skip
            if placed.leader:
                ends = [
                    self.axes.transData.inverted().transform(end) for end in (at, placed.leader)
                ]
                self.axes.plot(
                    [e[0] for e in ends], [e[1] for e in ends], color=style.color, linewidth=0.9,
                    zorder=2, clip_on=False,
                )  # fmt: skip

    def _scattered(self) -> list[Series]:
        return [series for series in self.chart.series if series.kind == "scatter"]

    def _stairs(self) -> list[tuple[tuple[float, float], tuple[float, float]]]:
        """The segments of the front, in pixels."""
        corners: list[Point] = []
        for series in self.chart.series:
            if series.kind == "front":
                for one, other in pairwise(series.points):
                    corners += [one, Point(other.x, one.y), other]
                corners.append(Point(self.x.high, series.points[-1].y))
        return [(a, b) for a, b in pairwise(map(self._at, corners)) if a != b]

    def _at(self, point: Point) -> tuple[float, float]:
        """Where it is, in pixels."""
        x, y = self.axes.transData.transform((point.x, point.y))
        return float(x), float(y)


MARKER, NAME, SMALL = 7.5, 9.0, 8.0
"""Points across a marker; font sizes of the names of points, and of notes."""


def shortened(name: str, most: int = 40) -> str:
    """A name of a file's own may be long; its middle is left out."""
    return name if len(name) <= most else f"{name[: most // 2]}…{name[-most // 2 + 1 :]}"


def darker(color: str) -> str:
    """A colour that is readable as text on white."""
    return "#" + "".join(f"{int(int(color[at : at + 2], 16) * 0.6):02X}" for at in (1, 3, 5))
