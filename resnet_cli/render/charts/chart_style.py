"""How the series of a chart are told apart: by colour, and without it by dash, marker and pattern."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from resnet_cli.charts import Series


class Style(NamedTuple):
    """``color`` on white, and ``on_dark``; ``dash``, ``marker`` and ``hatch`` in matplotlib's notation.

    In a terminal ``ansi`` colours, ``sign`` marks a line and ``fill`` makes a bar, each with its ASCII form.
    """

    color: str
    on_dark: str
    dash: str | tuple[float, tuple[float, ...]]
    marker: str
    hatch: str
    ansi: int
    sign: str
    fill: str


STYLES = (
    Style("#0072B2", "#4FA3E3", "-", "o", "", 33, "●o", "█#"),
    Style("#E69F00", "#F2B233", "--", "s", "//", 214, "■#", "░."),
    Style("#009E73", "#2FC99B", "-.", "^", "..", 36, "▲^", "▓%"),
    Style("#56B4E9", "#A3DAFF", (0, (1, 1)), "D", "\\\\", 74, "◆*", "▒:"),
    Style("#D55E00", "#F5854A", (0, (8, 2)), "v", "xx", 166, "▼v", "▚x"),
    Style("#CC79A7", "#E9A6CB", (0, (3, 1, 1, 1, 1, 1)), "P", "--", 175, "○0", "─-"),
    Style("#000000", "#E8ECF2", (0, (5, 5)), "X", "++", 245, "□+", "▞/"),
    Style("#8C8C8C", "#9A9A9A", (0, (1, 3)), "*", "||", 250, "△A", "·'"),
)
"""Colours are those of Okabe & Ito (2008), "Color Universal Design", with grey for their yellow; lighter on dark."""


def styles(series: Sequence[Series]) -> list[Style]:
    """The style of each; a thin line has that of the next one which is not."""
    places, at = [], 0
    for each in series:
        places.append(styled(at))
        at += not each.thin
    return places


def styled(index: int) -> Style:
    """The style of the series at that place among those that have one."""
    return STYLES[index]
