"""Table, Column, Answer: what an analysis hands to a renderer. Raw values only, nothing rounded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple


class Column(NamedTuple):
    """``key`` names it in JSON and CSV, ``title`` for people.

    ``kind``: text, count (an integer), exact (never shortened), bytes, amount (a count, or a
    `ByteCount`), verdict (true or false), remark (a text for people), number (a float), percent (one from
    0 to 100, as printed), measured (one with two decimals), times (one number by another), range (two of them, or two counts), estimate (a mean, and its standard error where it has one), shape,
    numbers (as 3-4-6-3), mixed (texts, counts, shapes and `Stack`s, which have a line for each part), share (0 to
    1), bar (a share, drawn) or line (floats, drawn). With a "+" before its kind a number is a change and has its
    sign. Columns with a ``drop`` leave a narrow terminal, the highest first. Shares, bars, lines and remarks are for people
    only: JSON and CSV hold the numbers they come from.
    """

    key: str
    title: str
    kind: str = "text"
    drop: int = 0


class ByteCount(int):
    """A number of bytes, among others that are none."""


@dataclass(frozen=True)
class Run:
    """Lines in one bracket, such as a block's layers; how many ``times``, or what is ``beside`` it."""

    lines: tuple[str, ...]
    times: int | None = None
    beside: str = ""

    @property
    def tail(self) -> str:
        """What stands after the bracket: ` × 3`, or `, identity`."""
        times = f" × {self.times}" if self.times is not None else ""
        return times + (f", {self.beside}" if self.beside else "")

    def __str__(self) -> str:
        return f"[{' | '.join(self.lines)}]{self.tail}"


@dataclass(frozen=True)
class Stack:
    """A cell of several parts, which stand below one another where there is room for it."""

    parts: tuple[str | Run, ...]

    def __str__(self) -> str:
        return "; ".join(map(str, self.parts))


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
