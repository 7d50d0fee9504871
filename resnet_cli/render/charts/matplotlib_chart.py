"""Chart -> SVG, PNG or PDF through matplotlib; the same chart always gives the same file.

Everything is measured before it is placed: title, legend, axes and notes stand one below another,
and no text is cut.
"""

from __future__ import annotations

import warnings
from io import BytesIO
from itertools import pairwise
from typing import Any, NamedTuple

import matplotlib
import matplotlib.style
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from resnet_cli.charts import Chart, Point, Series
from resnet_cli.errors import UserError
from resnet_cli.render.charts.chart_style import Style, styled, styles
from resnet_cli.render.charts.placement import Extent, place
from resnet_cli.render.charts.scale import named, scales, shortened, totals
from resnet_cli.render.tables import numbers
from resnet_cli.render.themes import SANS, SERIF, THEMES, Theme

DOTS = 100
"""Pixels an inch that lengths below are in; a PNG has twice as many."""
WIDTH, HEIGHT = 960.0, 540.0
"""Pixels where no size is asked for."""
FULL, LEAST = 6.5, 0.73
"""Inches from which on texts have their full size, and how small they get: 11 points, and 8."""
EDGE, GAP, BARE_EDGE = 24.0, 12.0, 4.0
LOOK: dict[str, Any] = {
    "svg.fonttype": "none",  # text that can be selected
    "svg.hashsalt": "resnet-cli",  # ids that stay the same
    "pdf.fonttype": 42,
    "text.parse_math": False,  # a network may be called $x$
    "text.hinting": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "hatch.linewidth": 0.9,
}
FONTS = {SANS: ["DejaVu Sans", "sans-serif"], SERIF: ["STIXGeneral", "DejaVu Sans", "serif"]}
"""What comes with matplotlib, which for a paper is a Times."""
METADATA: dict[str, dict[str, Any]] = {  # no dates, and no versions
    "svg": {"Date": None, "Creator": None},
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


class Rendered(NamedTuple):
    """A file's bytes; ``unnamed`` are points whose names had no room."""

    content: bytes
    unnamed: list[str]


def render(
    chart: Chart,
    format: str,
    theme: str = "light",
    size: tuple[float, float] | None = None,
    bare: bool = False,
) -> Rendered:
    """A file of that format: svg, png or pdf.

    ``size`` is its width and height in inches; a ``bare`` one leaves title and notes to a caption.
    Raises `UserError` for a size that has no room for the chart.
    """
    out = BytesIO()
    with matplotlib.style.context(["default", LOOK]), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a sign that the font lacks is a box in a PNG, no matter
        picture = Picture(chart, THEMES[theme], size, bare)
        picture.figure.savefig(out, format=format, dpi=2 * DOTS, metadata=METADATA[format])
    return Rendered(out.getvalue(), picture.unnamed)


class Picture:
    """A figure while it is put together, in the style ``LOOK``.

    ``zoom`` makes texts, signs and gaps smaller where the picture is narrow.
    """

    def __init__(
        self,
        chart: Chart,
        theme: Theme,
        size: tuple[float, float] | None = None,
        bare: bool = False,
    ) -> None:
        self.chart, self.theme, self.bare = chart, theme, bare
        height = HEIGHT + max(0.0, 26.0 * (len(chart.y.categories) - 10))
        inches = size or (WIDTH / DOTS, height / DOTS)
        self.width, self.height = inches[0] * DOTS, inches[1] * DOTS
        self.zoom = min(max(inches[0] / FULL, LEAST), 1.0)
        self.edge, self.gap = BARE_EDGE if bare else EDGE * self.zoom, GAP * self.zoom
        matplotlib.style.use(self._look())
        self.figure = Figure(figsize=inches, dpi=DOTS)
        self.renderer = FigureCanvasAgg(self.figure).get_renderer()  # type: ignore[no-untyped-call]
        self.x, self.y = scales(chart)
        self.axes = self.figure.add_subplot()
        self.handles: list[tuple[Any, str]] = []
        self.unnamed: list[str] = []
        self._scale()
        drawn = [series for series in chart.series if series.kind != "front"]
        for series in chart.series:
            if series.kind == "front":
                self._front(series)
        for at, (series, style) in enumerate(zip(drawn, styles(drawn), strict=True)):
            {"line": self._line, "scatter": self._scatter, "bar": self._bars}[series.kind](
                series, style, at
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
        self._keep_label()
        self._names()

    def _look(self) -> dict[str, Any]:
        """The theme's colours and font, and lengths that follow the zoom."""
        theme, text, faint = self.theme, self.theme.text, self.theme.faint
        colours = {"figure.facecolor": theme.background, "axes.facecolor": theme.background,
                   "savefig.facecolor": theme.background, "text.color": text, "axes.labelcolor": text,
                   "axes.edgecolor": faint, "xtick.color": faint, "ytick.color": faint}  # fmt: skip
        lengths = {"font.size": 11.0, "xtick.major.size": 3.5, "ytick.major.size": 3.5}
        return {
            **colours,
            **{key: length * self.zoom for key, length in lengths.items()},
            "font.family": FONTS[theme.font],
        }

    def _scale(self) -> None:
        axes, x, y = self.axes, self.x, self.y
        if x.axis.log:
            axes.set_xscale("log")
        if y.axis.log:
            axes.set_yscale("log")
        axes.set_xlim(x.low, x.high)
        axes.set_ylim(*((y.high, y.low) if y.axis.categories else (y.low, y.high)))
        across = max(round(9 * self.width / WIDTH / self.zoom), 3)
        up = max(round(7 * self.height / HEIGHT / self.zoom), 3)
        for axis, scale, most in ((axes.xaxis, x, across), (axes.yaxis, y, up)):
            ticks = scale.ticks(most)
            if axis is axes.xaxis and self.chart.bands:
                ticks = [(self.x.low, "")]
            axis.set_ticks([value for value, _ in ticks], [shortened(text) for _, text in ticks])
            axis.set_ticks([], minor=True)
        axes.set_xlabel("\n".join(self._wrapped(x.axis.label, 11)), labelpad=8 * self.zoom)
        axes.grid(
            True, axis="x" if y.axis.categories else "y", color=self.theme.rule, linewidth=0.8
        )
        axes.set_axisbelow(True)
        if y.axis.categories:
            axes.tick_params(axis="y", length=0)

    def _front(self, series: Series) -> None:
        """From each point right, then down to the next; on to the edge after the last."""
        xs = [*(p.x for p in series.points), self.x.high]
        ys = [*(p.y for p in series.points), series.points[-1].y]
        width = 1.4 * self.zoom
        style: dict[str, Any] = {
            "color": self.theme.faint,
            "alpha": 0.6,
            "linewidth": width,
            "zorder": 1.5,
        }
        self.axes.step(xs, ys, where="post", **style)
        self.handles.append((Line2D([], [], **style), series.name))

    def _line(self, series: Series, style: Style, at: int) -> None:
        xs, ys = [p.x for p in series.points], [p.y for p in series.points]
        look: dict[str, Any] = {
            "color": self._color(style), "linestyle": style.dash, "linewidth": (0.9 if series.thin else 2) * self.zoom,
            "marker": "" if series.thin else style.marker, "markersize": 6.5 * self.zoom,
            "markeredgecolor": self.theme.background, "markeredgewidth": 0.7 * self.zoom,
        }  # fmt: skip
        apart = (0.02 * (at % 4), 0.08)  # in the length of a diagonal; lines may run together
        self.axes.plot(xs, ys, markevery=apart, zorder=3, **look)
        spread = [
            (p.x, p.low, p.high) for p in series.points if p.low is not None and p.high is not None
        ]
        if spread:
            at_x, low, high = zip(*spread, strict=True)
            shade = self._color(style)
            self.axes.fill_between(
                at_x, low, high, color=shade, alpha=0.1 if series.thin else 0.18, linewidth=0
            )
        self.handles.append((Line2D([], [], **look), series.name))

    def _scatter(self, series: Series, style: Style, at: int) -> None:
        look: dict[str, Any] = {
            "color": self._color(style), "marker": style.marker, "linestyle": "none",
            "markersize": MARKER * self.zoom, "markeredgecolor": self.theme.background,
            "markeredgewidth": 0.8 * self.zoom,
        }  # fmt: skip
        xs, ys = [p.x for p in series.points], [p.y for p in series.points]
        self.axes.plot(xs, ys, zorder=4, clip_on=False, **look)
        self.handles.append((Line2D([], [], **look), series.name))

    def _bars(self, series: Series, style: Style, at: int) -> None:
        before = totals(p for other in self.chart.series[:at] for p in other.points)
        look: dict[str, Any] = {
            "facecolor": self._color(style), "hatch": style.hatch,
            "edgecolor": self.theme.background, "linewidth": 0.8,
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
        grey = self.theme.faint
        self.axes.axhline(value, color=grey, linewidth=1, linestyle=(0, (2, 3)), zorder=2)
        self.axes.annotate(
            name, (1, value), (-2, 3), xycoords=("axes fraction", "data"),
            textcoords="offset points", ha="right", va="bottom", color=grey, fontsize=9.5 * self.zoom,
        )  # fmt: skip

    def _texts(self) -> tuple[float, float]:
        """Title and legend at the top, notes at the bottom; returns what is left between them."""
        top, bottom = self.height - self.edge, self.edge / 1.5
        if not self.bare:
            title = "\n".join(self._wrapped(self.chart.title, TITLE, bold=True))
            box = self._text(title, top, TITLE, va="top", fontweight="bold")
            notes = "\n".join(
                line for note in self.chart.notes for line in self._wrapped(note, SMALL)
            )
            note_look = {"color": self.theme.faint, "va": "bottom", "linespacing": 1.35}
            bottom = self._text(notes, bottom, SMALL, **note_look).y1 + self.gap
            top = box.y0 - self.gap
        top = self._legend(top)
        if not self.y.axis.categories:  # upright above the axis, where it is easily read
            label = "\n".join(self._wrapped(self.y.axis.label, 11))
            top = self._text(label, top - 1.5 * self.gap, 11, va="top").y0 + self.gap / 2
        return bottom, top - 1.5 * self.gap

    def _text(self, text: str, at: float, size: float, **look: Any) -> Any:
        """A text from the left edge at that height; returns its box."""
        where = (self.edge / self.width, at / self.height)
        return self.figure.text(*where, text, fontsize=size * self.zoom, **look).get_window_extent(
            self.renderer
        )

    def _fit(self, bottom: float, top: float) -> None:
        """Makes the axes with all their labels fill the width and this height."""
        inner = self.axes.get_window_extent(self.renderer)
        outer = self.axes.get_tightbbox(self.renderer, for_layout_only=True)
        assert outer is not None
        x0, x1 = (
            self.edge + inner.x0 - outer.x0,
            self.width - self.edge - max(outer.x1 - inner.x1, 0),
        )
        y0, y1 = bottom + inner.y0 - outer.y0, top - max(outer.y1 - inner.y1, 0)
        if min(x1 - x0, y1 - y0) < NARROWEST:
            raise UserError(
                f"{self.width / DOTS:g}×{self.height / DOTS:g} inches leave no room for the chart",
                "give a larger --size" + ("" if self.bare else ", or --bare"),
            )
        self.axes.set_position(
            (x0 / self.width, y0 / self.height, (x1 - x0) / self.width, (y1 - y0) / self.height)
        )

    def _keep_label(self) -> None:
        """Moves the label of x, which is centred below the axes, into the picture."""
        axes, label = self.axes.get_window_extent(self.renderer), self.axes.xaxis.label
        half = label.get_window_extent(self.renderer).width / 2
        middle = min((axes.x0 + axes.x1) / 2, self.width - self.edge - half)
        label.set_x((max(middle, self.edge + half) - axes.x0) / axes.width)

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
                bbox_to_anchor=(self.edge / self.width, top / self.height), borderpad=0,
                borderaxespad=0, handlelength=handle, columnspacing=1.6, handletextpad=0.6,
                fontsize=10.5 * self.zoom,
            )  # fmt: skip
            box = legend.get_window_extent(self.renderer)
            if box.x1 <= self.width - self.edge or columns == 1:
                break
            legend.remove()
        return float(box.y0)

    def _wrapped(self, text: str, size: float, bold: bool = False) -> list[str]:
        """A text in lines that are no wider than the picture."""
        lines = [""]
        for word in text.split(" "):
            longer = f"{lines[-1]} {word}".strip()
            if self._size(longer, size, bold)[0] > self.width - 2 * self.edge and lines[-1]:
                lines.append(word)
            else:
                lines[-1] = longer
        return lines

    def _size(self, text: str, size: float, bold: bool = False) -> tuple[float, float]:
        """Width and height; a line is as high as one with ascenders and descenders."""
        weight = "bold" if bold else "normal"
        font = FontProperties(family=FONTS[self.theme.font], size=size * self.zoom, weight=weight)
        width, *_ = self.renderer.get_text_width_height_descent(text, font, False)
        _, height, _ = self.renderer.get_text_width_height_descent("lp", font, False)
        return width, height

    def _bands(self) -> None:
        """The stages' names below the axis, where they do not meet; their ends as thin lines."""
        for band in self.chart.bands:
            self.axes.axvline(band.start, color=self.theme.rule, linewidth=0.8, zorder=1)
        names = named(
            self.chart.bands,
            lambda x: self._at(Point(x, self.y.low))[0],
            lambda name: self._size(name, 11)[0],
            self.gap / 2,
        )
        self.axes.xaxis.set_ticks([at for at, _ in names], [name for _, name in names])
        self.axes.tick_params(axis="x", length=0, pad=7 * self.zoom)

    def _totals(self) -> None:
        """What each bar comes to, at its end."""
        points = [p for series in self.chart.series for p in series.points]
        for at, total in totals(points).items():
            self.axes.annotate(
                numbers.count(int(total), False), (total, at), (5, 0),
                textcoords="offset points", va="center", fontsize=10 * self.zoom, fontweight="bold",
            )  # fmt: skip

    def _names(self) -> None:
        """The names of points, with leaders where they stand apart."""
        points = [(p, styled(at)) for at, s in enumerate(self._scattered()) for p in s.points]
        if not points:
            return
        inside = self.axes.get_window_extent(self.renderer)
        frame = Extent(inside.x0 + 2, inside.y0 + 2, inside.x1, inside.y1)
        places = [self._at(p) for p, _ in points]
        sizes = [(w + 6, h) for w, h in (self._size(p.label, NAME) for p, _ in points)]
        radius = self.zoom * MARKER * DOTS / 72 / 2 + 1
        names = place(places, sizes, frame, radius, self._stairs())
        for (point, style), at, placed in zip(points, places, names, strict=True):
            if placed is None:
                self.unnamed.append(point.label)
                continue
            offset = (
                (placed.extent.left - at[0]) * 72 / DOTS,
                (placed.extent.bottom - at[1]) * 72 / DOTS,
            )
            self.axes.annotate(
                point.label, (point.x, point.y), offset, textcoords="offset points",
                fontsize=NAME * self.zoom, va="bottom", color=self._ink(style), zorder=5,
            )  # fmt: skip
            if placed.leader:
                ends = [
                    self.axes.transData.inverted().transform(end) for end in (at, placed.leader)
                ]
                self.axes.plot(
                    [e[0] for e in ends], [e[1] for e in ends], color=self._color(style), linewidth=0.9,
                    zorder=2, clip_on=False,
                )  # fmt: skip

    def _color(self, style: Style) -> str:
        """A series' colour on the theme's background."""
        return style.on_dark if self._is_dark() else style.color

    def _ink(self, style: Style) -> str:
        """The same as text, which needs more contrast."""
        return style.on_dark if self._is_dark() else darker(style.color)

    def _is_dark(self) -> bool:
        return self.theme is THEMES["dark"]

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


MARKER, NAME, SMALL, TITLE = 7.5, 9.0, 8.0, 15.0
"""Points across a marker; font sizes of the names of points, of notes and of the title."""
NARROWEST = 60.0
"""Pixels of the axes, across and up."""


def darker(color: str) -> str:
    """A colour that is readable as text on white."""
    return "#" + "".join(f"{int(int(color[at : at + 2], 16) * 0.6):02X}" for at in (1, 3, 5))
