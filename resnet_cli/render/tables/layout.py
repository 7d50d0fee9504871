"""How a table gets onto a terminal of some width: closer, then broken, then without some, then parted.

Columns move closer, texts and heads break into two lines, stacks stand tall. What then has no room
leaves if it has a ``drop``, the highest first. What has none is never left out: it breaks into more
lines, paths at their dots, and at last the table is parted into several below one another.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import chain
from typing import Any, NamedTuple

from resnet_cli.render.tables.breaking import at_dots, broken, filled, longest, narrowest
from resnet_cli.render.tables.numbers import bar, cell, line, stacked
from resnet_cli.tables import Column, Stack, Table


class Form(NamedTuple):
    """How close: signs between two columns, lines that a text may take, whether stacks stand tall."""

    gap: int
    lines: int
    tall: bool = False


FORMS = (Form(3, 1), Form(2, 1), Form(2, 2), Form(2, 2, tall=True))
"""What is tried before a column is left out."""
LAST = tuple(Form(2, lines, tall=True) for lines in (3, 4, 6, 9))
"""What is tried besides before a table is parted."""
BREAKS = ("text", "mixed")
"""The kinds that break; of all others only the head does."""
HANG = {"mixed": 2}
"""By how much further lines are indented: where a stack has lines of its own."""
TALL = re.compile("[⎡⎢⎣].*")
WHOLE = re.compile(
    rf"{TALL.pattern}|\[(?:[^\[\]]|\[[^\[\]]*+\])*+\](?: × \d+)?|\([^()+]*+\+[^()]*+\)"
)
"""What does not break as long as two lines do: brackets, and sums in parentheses."""
LONG, INDENT = 30, 2
"""A longer path breaks at dots before the table is parted, its further lines indented."""
HARD = "\xa0"
"""A space where nothing breaks."""


class Part(NamedTuple):
    """Some columns of a table; the first of the rows are their heads, a cell may have several lines."""

    columns: list[Column]
    rows: list[list[str]]
    gap: int


class Layout:
    """A table on a terminal of some width (None: as wide as it takes) that spells ``signs`` otherwise."""

    def __init__(self, table: Table, exact: bool, width: int | None, signs: dict[int, str]) -> None:
        self.columns = list(table.columns)
        self.rows = [*table.rows, *([table.total] if table.total else [])]
        self.exact, self.width, self.signs = exact, width, signs
        self._texts, self._least = cache(self._texts), cache(self._least)  # type: ignore[method-assign]

    def parts(self) -> tuple[list[Part], list[Column]]:
        """The table in as many parts as it takes, and the columns that are left out."""
        every = list(range(len(self.columns)))
        if any(self._fits(every, form) for form in FORMS):
            return [self._part(every)], []
        kept = [at for at in every if not self.columns[at].drop]
        last = FORMS[-1] if self._fits(kept, FORMS[-1]) else LAST[0]
        for at in sorted(set(every) - set(kept), key=lambda at: self.columns[at].drop):
            if self._fits([*kept, at], last):
                kept.append(at)
        left_out = [self.columns[at] for at in every if at not in kept]
        return [self._part(columns) for columns in self._parted(sorted(kept))], left_out

    def _parted(self, columns: list[int]) -> list[list[int]]:
        """The columns in groups that fit, each after the first column."""
        if any(self._fits(columns, form) for form in FORMS + LAST):
            return [columns]
        first, *others = columns
        groups = [[first]]
        for at in others:
            if len(groups[-1]) > 1 and not self._fits([*groups[-1], at], FORMS[-1]):
                groups.append([first])
            groups[-1].append(at)
        return groups

    def _fits(self, columns: Sequence[int], form: Form) -> bool:
        return self._room(columns, form) >= 0

    def _room(self, columns: Sequence[int], form: Form) -> int:
        """What is left of the width, or lacks."""
        if self.width is None:
            return 0
        between = form.gap * (len(columns) - 1)
        return self.width - between - sum(self._least(at, form) for at in columns)

    def _part(self, columns: list[int]) -> Part:
        """The columns in the first form that fits."""
        form = next((form for form in FORMS + LAST if self._fits(columns, form)), LAST[-1])
        cells, room = {at: self._texts(at, form) for at in columns}, 0
        if form.lines > 1:
            cells, room = self._broken(cells, form)
            cells = {at: [text.replace(HARD, " ") for text in texts] for at, texts in cells.items()}
        rows = [list(row) for row in zip(*(cells[at] for at in columns), strict=True)]
        gap = form.gap + (room >= len(columns))
        return Part([self.columns[at] for at in columns], rows, gap)

    def _broken(self, cells: dict[int, list[str]], form: Form) -> tuple[dict[int, list[str]], int]:
        """The columns' cells broken to the width, into the fewest lines, and what is left of the width.

        Tried is which column gives way, the others having what they need as far as there is room.
        """
        least = {at: self._least(at, form) for at in cells}
        lacking = [at for at in cells if least[at] < longest(cells[at])]

        def tried(last: int) -> tuple[dict[int, list[str]], int]:
            room, new = max(self._room([*cells], form), 0), dict(cells)
            for at in [*(at for at in lacking if at != last), last]:
                new[at] = self._broken_column(at, cells[at], least[at] + room)
                room -= longest(new[at]) - least[at]
            return new, room

        return min(map(tried, lacking), key=lambda made: _breaks(made[0]), default=(cells, 0))

    def _broken_column(self, at: int, texts: list[str], width: int) -> list[str]:
        kind = self.columns[at].kind
        head, hang = "\n".join(broken(texts[0], width)), HANG.get(kind, 0)
        if kind not in BREAKS:
            return [head, *texts[1:]]
        lines = ([broken(line, width, hang) for line in text.split("\n")] for text in texts[1:])
        return [head, *("\n".join(chain.from_iterable(cell)) for cell in lines)]

    def _least(self, at: int, form: Form) -> int:
        """The least width of a column in this form."""
        kind = self.columns[at].kind
        head, *texts = self._texts(at, form)
        if form.lines == 1:
            return longest([head, *texts])
        if kind in BREAKS:
            cells = narrowest("\n".join(texts).split("\n"), form.lines, HANG.get(kind, 0))
        else:
            cells = longest(texts)
        return max(cells, narrowest([head], form.lines))

    def _texts(self, at: int, form: Form) -> list[str]:
        """Head and cells of a column, a `HARD` space where a bracket does not break."""
        column = self.columns[at]
        texts = [column.title, *(self._text(column, row[at], form) for row in self.rows)]
        if form.lines > 1 and column.kind in BREAKS:
            whole = WHOLE if form.lines == 2 else TALL
            texts = [whole.sub(lambda m: m[0].replace(" ", HARD), text) for text in texts]
        return [filled(text.translate(self.signs)) for text in texts]

    def _text(self, column: Column, value: Any, form: Form) -> str:
        if isinstance(value, Stack) and (form.tall or column.kind == "mixed"):
            return stacked(value)
        if form.lines > 1 and column.kind == "bar" and value is not None:
            return bar(value, 8)  # half as wide
        if form.lines > 1 and column.kind == "line" and value is not None:
            return line(**value, width=24)
        text = cell(column, value, self.exact)
        if form in LAST and column.kind == "text" and len(text) > LONG and " " not in text:
            return "\n".join(at_dots(text, LONG, INDENT))
        return text


def _breaks(cells: Mapping[int, Sequence[str]]) -> tuple[int, int]:
    """By how many lines a table is taller than its rows, and how often its cells break."""
    each = [[text.count("\n") for text in row] for row in zip(*cells.values(), strict=True)]
    return sum(map(max, each)), sum(map(sum, each))
