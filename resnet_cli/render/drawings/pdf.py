"""A drawing as PDF, through matplotlib: lines stay lines, and text can be selected in the font that is embedded.

It has the layout, colours and dashes of the SVG; a CSS pixel is 1/96 of an inch in both.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from io import BytesIO
from typing import Any

import matplotlib.style
from matplotlib.artist import Artist
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.path import Path
from matplotlib.transforms import Affine2D

from resnet_cli.drawings import Drawing
from resnet_cli.errors import UserError
from resnet_cli.render.drawings import layout, look
from resnet_cli.render.drawings.placed import SAMPLE, Layout, Point, Rect
from resnet_cli.render.themes import SERIF, THEMES, Theme

INCH = 96
POINT = 72 / INCH
MOST = 200 * INCH
"""Pixels of a side: PDF readers take pages of at most 200 inches."""
CIRCLE = 0.5523
"""How far the handles of a cubic curve reach that is a quarter of a circle, in its radius."""
LOOK: dict[str, Any] = {"pdf.fonttype": 42, "text.parse_math": False}
DATELESS: dict[str, Any] = {"CreationDate": None, "Creator": None, "Producer": None}


def pdf(drawing: Drawing, theme: str) -> bytes:
    """The file's bytes, the same at every run.

    Raises `UserError` (exit 1) for a page that is larger than a PDF's may be.
    """
    page, out = layout.place(drawing), BytesIO()
    if max(page.width, page.height) > MOST:
        raise UserError(
            f"a PDF of {page.width / INCH:,.0f}×{page.height / INCH:,.0f} inches is over the 200 that readers take",
            "add --fold or --level stage, or write an .svg",
            1,
        )
    names = ", ".join(column.name for column in drawing.columns)
    figure = Figure(figsize=(page.width / INCH, page.height / INCH))
    figure.patch.set_facecolor(THEMES[theme].background)
    figure.add_artist(_Page(page, THEMES[theme]), clip=False)
    with matplotlib.style.context(["default", LOOK]), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a sign that the font lacks is drawn as a box
        figure.savefig(out, format="pdf", metadata={"Title": names, **DATELESS})
    return out.getvalue()


class _Page(Artist):
    """Everything of a layout, from the back to the front as in the SVG."""

    def __init__(self, page: Layout, theme: Theme) -> None:
        super().__init__()
        self.page, self.theme = page, theme
        self.family = "STIXGeneral" if theme.font == SERIF else "DejaVu Sans"
        self.turned = Affine2D().scale(POINT, -POINT).translate(0, page.height * POINT)

    def draw(self, renderer: Any) -> None:
        page, theme = self.page, self.theme
        for ends in page.rules:
            self._line(renderer, Path(ends), theme.rule)
        for frame in page.frames:
            self._filled(renderer, _rounded(frame, 6), theme.frame, theme.rule)
        for _, start, end in page.wires:
            self._line(renderer, Path([start, end]), theme.wire)
        for shortcut in page.shortcuts:
            kind = look.DASHES[shortcut.arc.kind]
            self._line(renderer, _bent(shortcut.way), theme.wire, kind)
        for kind, (x, y) in page.legend:
            self._line(renderer, Path([(x, y), (x + SAMPLE, y)]), theme.wire, look.DASHES[kind])
        tips = [(a, b) for _, a, b in page.wires] + [s.way[-2:] for s in page.shortcuts]
        for before, tip in tips:
            head = look.arrow(before, tip)
            self._filled(renderer, Path([*head, tip], closed=True), theme.wire)
        for placed in page.boxes:
            fill, border, corner = look.box(placed, theme)
            self._filled(renderer, _rounded(placed.at, corner), fill, border)
            middle = placed.at.x + placed.at.width / 2
            for line, baseline, bold in look.lines(placed):
                self._text(
                    renderer, line, (middle, baseline), "middle", layout.FONT, bold, theme.text
                )
        for word in page.words:
            size, bold, colour = look.STYLES[word.kind]
            at = (word.at[0], word.at[1] + look.BASELINE * size)
            ink = getattr(theme, colour)
            self._text(renderer, word.text, at, word.anchor, size, bold, ink)

    def _line(self, renderer: Any, path: Path, colour: str, dashes: str = "") -> None:
        pen = _pen(renderer, colour)
        if dashes:
            pen.set_dashes(0, [POINT * float(length) for length in dashes.split()])
        renderer.draw_path(pen, path, self.turned)
        pen.restore()

    def _filled(self, renderer: Any, path: Path, fill: str, border: str = "") -> None:
        pen = _pen(renderer, border or fill)
        if not border:
            pen.set_linewidth(0)
        renderer.draw_path(pen, path, self.turned, to_rgba(fill))
        pen.restore()

    def _text(
        self, renderer: Any, text: str, at: Point, anchor: str, size: float, bold: bool, colour: str
    ) -> None:
        weight = "bold" if bold else "normal"
        font = FontProperties(family=self.family, size=size * POINT, weight=weight)
        wide, *_ = renderer.get_text_width_height_descent(text, font, False)
        x, y = self.turned.transform(at)
        x -= wide * {"start": 0, "middle": 0.5, "end": 1}[anchor]
        pen = _pen(renderer, colour)
        renderer.draw_text(pen, x, y, text, font, 0)
        pen.restore()


def _pen(renderer: Any, colour: str) -> Any:
    pen = renderer.new_gc()
    pen.set_foreground(colour)
    pen.set_linewidth(POINT)
    return pen


def _rounded(at: Rect, corner: float) -> Path:
    """A rectangle with quarters of circles at its corners."""
    x, y, width, height = at
    radius = min(corner, width / 2, height / 2)
    points, codes = [(x + radius, y)], [Path.MOVETO]
    sides = (
        ((x + width, y), (1, 0), (0, 1)),
        ((x + width, y + height), (0, 1), (-1, 0)),
        ((x, y + height), (-1, 0), (0, -1)),
        ((x, y), (0, -1), (1, 0)),
    )
    for (u, v), (along, down), (on, away) in sides:
        out, back = radius, radius * (1 - CIRCLE)
        points += [
            (u - out * along, v - out * down),
            (u - back * along, v - back * down),
            (u + back * on, v + back * away),
            (u + out * on, v + out * away),
        ]
        codes += [Path.LINETO, Path.CURVE4, Path.CURVE4, Path.CURVE4]
    return Path(points, codes)


def _bent(way: Sequence[Point]) -> Path:
    """Straight lines with the SVG's rounded corners."""
    points, codes = [way[0]], [Path.MOVETO]
    for before, corner, after in look.corners(way):
        points += [before, corner, after]
        codes += [Path.LINETO, Path.CURVE3, Path.CURVE3]
    return Path([*points, way[-1]], [*codes, Path.LINETO])
