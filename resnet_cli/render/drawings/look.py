"""How what is placed looks, the same in SVG and PDF: colours, dashes, sizes of text, corners, arrow heads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from resnet_cli.drawings import Box
from resnet_cli.render.drawings import layout
from resnet_cli.render.drawings.placed import Placed, Point
from resnet_cli.render.themes import Theme

DASHES = {
    "projection": "2 3",
    "zero padding": "2 3",
    "dropout": "6 2 2 2",
    "identity": "",
    "scale": "7 3",
    "skip": "",
}
STYLES = {  # font size, whether bold, which of the theme's colours
    "name": (layout.NAME, True, "text"),
    "caption": (layout.SMALL, False, "faint"),
    "size": (layout.SMALL, False, "faint"),
    "times": (layout.FONT, False, "text"),
    "note": (layout.SMALL, False, "faint"),
    "legend": (layout.SMALL, False, "faint"),
}
TINTED = ("stage", "module", "scale")
"""Boxes in their row's colour beside all that multiply; the others are as the page and have its border alone."""
BASELINE = 0.35
"""How far below the middle of a text its baseline is, in the text's size."""


def box(placed: Placed, theme: Theme) -> tuple[str, str, float]:
    """A box's fill, the colour of its border, and the radius of its corners."""
    fill, border = theme.rows[placed.row % len(theme.rows)]
    is_input = placed.box.kind == "input"
    corner = placed.at.height / 2 if layout.is_round(placed.box) or is_input else 3
    return (
        fill if is_tinted(placed.box) else theme.background,
        theme.faint if is_input else border,
        corner,
    )


def is_tinted(box: Box) -> bool:
    """Whether a box has its row's colour."""
    return box.macs > 0 or box.kind in TINTED


def lines(placed: Placed) -> Iterator[tuple[str, float, bool]]:
    """The lines of a box, with the height of their baselines and whether they are bold."""
    texts, titled = layout.lines(placed.box), layout.titled(placed.box)
    middle = placed.at.y + placed.at.height / 2 + layout.FONT * BASELINE
    for at, text in enumerate(texts):
        baseline = middle + layout.LINE * (at - (len(texts) - 1) / 2)
        yield text, baseline, at < titled


def corners(way: Sequence[Point], radius: float = 7) -> Iterator[tuple[Point, Point, Point]]:
    """Each corner of a way, between the points where its rounding begins and ends."""
    for before, corner, after in zip(way, way[1:], way[2:], strict=False):
        yield _towards(corner, before, radius), corner, _towards(corner, after, radius)


def _towards(start: Point, end: Point, distance: float) -> Point:
    """A point on the way, at most half of it."""
    (x, y), (u, v) = start, end
    length = max(abs(u - x), abs(v - y), 1e-9)  # ways are horizontal or vertical
    part = min(distance / length, 0.5)
    return (x + (u - x) * part, y + (v - y) * part)


def arrow(before: Point, tip: Point) -> tuple[Point, Point, Point]:
    """A triangle at the end of a line that is horizontal or vertical, the tip first."""
    (x, y), (u, v) = before, tip
    along = ((u > x) - (u < x), (v > y) - (v < y))
    back = (u - 5 * along[0], v - 5 * along[1])
    left = (back[0] - 2.5 * along[1], back[1] + 2.5 * along[0])
    right = (back[0] + 2.5 * along[1], back[1] - 2.5 * along[0])
    return tip, left, right
