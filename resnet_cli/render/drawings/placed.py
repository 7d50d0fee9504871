"""What stands where on the page of a drawing, in pixels: plain tuples that `layout` makes."""

from __future__ import annotations

from typing import NamedTuple

from resnet_cli.drawings import Arc, Box

SAMPLE = 28
"""The length of a line in the legend."""

Point = tuple[float, float]


class Rect(NamedTuple):
    x: float
    y: float
    width: float
    height: float


class Placed(NamedTuple):
    """A box; ``column`` and ``name`` tell it from all others, ``row`` is its output size's rank."""

    box: Box
    at: Rect
    column: int
    name: str
    row: int


class Shortcut(NamedTuple):
    """An arc's way from the wire after box ``source`` to box ``target`` or the wire before it.

    ``labels`` are the blocks that have it.
    """

    arc: Arc
    labels: tuple[str, ...]
    way: tuple[Point, ...]
    column: int
    source: str
    target: str
    times: int


class Word(NamedTuple):
    """Text beside the boxes; ``anchor`` is start, middle or end of it, ``kind`` says what it is."""

    text: str
    at: Point
    anchor: str
    kind: str


class Sample(NamedTuple):
    """A kind of arc in the legend, a line of `SAMPLE` from ``at`` to the right."""

    kind: str
    at: Point


class Layout(NamedTuple):
    """Everything on the page. Wires and shortcuts end in arrow heads; rules part the rows."""

    width: float
    height: float
    boxes: list[Placed]
    wires: list[tuple[int, Point, Point]]
    shortcuts: list[Shortcut]
    frames: list[Rect]
    rules: list[tuple[Point, Point]]
    words: list[Word]
    legend: list[Sample]
