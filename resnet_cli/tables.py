"""Table, Column, Answer: what an analysis hands to a renderer. Raw values only; no text, no rounding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple


class Column(NamedTuple):
    """``key`` names it in JSON and CSV, ``title`` for people.

    ``kind``: text, count (an integer), exact (never shortened), bytes, number (a float), range (two
    of them), ratio (one for each compared number), shape, stack (text whose brackets a terminal
    draws over several lines), share (0 to 1), bar (a share, drawn) or line (floats, drawn). Columns
    with a ``drop`` leave a narrow terminal, the highest first. Shares, bars and lines are for people
    only: JSON and CSV hold the numbers they come from.
    """

    key: str
    title: str
    kind: str = "text"
    drop: int = 0


class Table(NamedTuple):
    """Rows of raw values in the order of the columns; ``total`` is set apart below them."""

    key: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    total: Sequence[Any] | None = None


class Answer(NamedTuple):
    """All that a command has to say: ``envelope`` is JSON's, ``tables[0]`` its rows.

    ``code`` is the exit status once it is printed: 1 where a check failed.
    """

    envelope: dict[str, Any]
    tables: Sequence[Table]
    notes: Sequence[str] = ()
    code: int = 0
