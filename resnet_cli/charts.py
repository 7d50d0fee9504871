"""Chart, Axis, Series, Point: a plot as plain numbers, what an analysis hands to those who draw it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Axis(NamedTuple):
    """``label`` says what is measured and by which convention, ``unit`` in what.

    ``kind`` is how its numbers are written, as a `resnet_cli.tables.Column`'s: count, exact, bytes,
    share or number. An axis with ``categories`` has those at 0, 1, 2, … and no scale.
    """

    label: str
    unit: str = ""
    kind: str = "count"
    log: bool = False
    categories: Sequence[str] = ()


class Point(NamedTuple):
    """A raw value; ``label`` is its name, ``low`` to ``high`` the spread of y where it has one."""

    x: float
    y: float
    label: str = ""
    low: float | None = None
    high: float | None = None


class Series(NamedTuple):
    """Points that belong together.

    ``kind``: line; scatter; bar (from 0 to x, at the category y, end to end with the bars of the
    series before it); or front (a staircase to the right and down, behind the others). ``network`` is
    the one they are of, empty where each point's label names its own. A ``thin`` line goes with the next one
    that is not.
    """

    name: str
    points: Sequence[Point]
    kind: str = "line"
    network: str = ""
    thin: bool = False


class Band(NamedTuple):
    """A stretch of the x axis that has a name, such as a stage."""

    name: str
    start: float
    end: float


class Chart(NamedTuple):
    """``levels`` are named values of y to draw a line at; ``notes`` say what the numbers are."""

    kind: str
    title: str
    x: Axis
    y: Axis
    series: Sequence[Series]
    notes: Sequence[str] = ()
    bands: Sequence[Band] = ()
    levels: Sequence[tuple[str, float]] = ()
