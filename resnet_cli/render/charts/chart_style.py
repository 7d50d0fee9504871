"""How the series of a chart are told apart: by colour, and without it by dash, marker and pattern."""

from __future__ import annotations

from typing import NamedTuple


class Style(NamedTuple):
    """``dash``, ``marker`` and ``hatch`` in matplotlib's notation; in a terminal ``ansi`` colours,
    ``sign`` marks a line and ``fill`` makes a bar, each with its ASCII form."""

    color: str
    dash: str | tuple[float, tuple[float, ...]]
    marker: str
    hatch: str
    ansi: int
    sign: str
    fill: str


STYLES = (
    Style("#0072B2", "-", "o", "", 33, "●o", "█#"),
    Style("#E69F00", "--", "s", "//", 214, "■#", "░."),
    Style("#009E73", "-.", "^", "..", 36, "▲^", "▓%"),
    Style("#56B4E9", (0, (1, 1)), "D", "\\\\", 74, "◆*", "▒:"),
    Style("#D55E00", (0, (8, 2)), "v", "xx", 166, "▼v", "▚x"),
    Style("#CC79A7", (0, (3, 1, 1, 1, 1, 1)), "P", "--", 175, "○0", "─-"),
    Style("#000000", (0, (5, 5)), "X", "++", 245, "□+", "▞/"),
    Style("#8C8C8C", (0, (1, 3)), "*", "||", 250, "△A", "·'"),
)
"""Colours are those of Okabe & Ito (2008), "Color Universal Design", with grey for their yellow."""


def styled(index: int) -> Style:
    """The style of the series at that place among those that have one."""
    return STYLES[index]
