"""Boxes for rows whose way is no chain: which rows each stands for, and what it reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from resnet_cli.analyses import folding
from resnet_cli.layers.uncounted import Uncounted
from resnet_cli.trace import INPUT, Row, live


class Part(NamedTuple):
    """The rows that a box stands for, the first of them its own; ``repeat`` is a module that is
    drawn for others alike, with how many they are, and ``input`` the network's input that it is."""

    rows: list[int]
    repeat: tuple[str, int] | None = None
    input: int | None = None


class Past(NamedTuple):
    """A shortcut from a part past those behind it, to what leaves another: the ``rows`` on it."""

    source: int
    end: int
    rows: list[int]


class Boxes:
    """Parts in the order of execution, and for each the parts before it that it reads, with the row that does.

    Rows of modules that are drawn by another alike stand in that one's parts.
    """

    def __init__(self, rows: Sequence[Row], alike: folding.Lines | None) -> None:
        self.rows = rows
        self.live = live(rows)
        self.parts: list[Part] = []
        self.reads: list[dict[int, int]] = []
        self.shortcuts: list[Past] = []
        self.of: dict[int, int] = {}  # which part puts out what a row or input does
        self.with_: dict[int, list[int]] = {}  # the rows that a row stands among
        self.repeats = alike.repeats if alike else {}
        self.like = _places(rows, alike) if alike else {}
        reached = {
            read for row, runs in zip(rows, self.live, strict=True) if runs for read in row.reads
        }
        for number in sorted((read for read in reached if read <= INPUT), reverse=True):
            self.of[number] = self.new(number, INPUT - number)

    def new(self, first: int, input: int | None = None) -> int:
        """Another part, for a row and others or an input."""
        repeat = None
        if input is None:
            row = self.rows[first]
            repeat = self.repeats.get((row.path, row.reads))
        self.parts.append(Part([], repeat, input))
        self.reads.append({})
        return len(self.parts) - 1

    def before(self, at: int) -> list[int]:
        """The parts that a row reads, in its order."""
        return [self.of[read] for read in self.rows[at].reads if read in self.of]

    def put(self, at: int, part: int | None) -> int:
        """Puts a row into a part, or a new one."""
        where = self.new(at) if part is None else part
        self.of[at] = where
        self.stand(at, self.parts[where].rows)
        self.read(at, where)
        return where

    def read(self, at: int, where: int) -> None:
        """Notes what a row makes its part read; in a module alike the first has shown what lies within."""
        for read in self.before(at):
            repeat = self.parts[read].repeat
            within = at in self.like and repeat is not None and repeat == self.parts[where].repeat
            if read < where and not within:
                self.reads[where].setdefault(read, at)

    def stand(self, at: int, among: list[int]) -> None:
        """A row's costs are those of the rows that it stands among, the first that there are."""
        if at not in self.with_:
            among.append(at)
            self.with_[at] = among

    def as_another(self, at: int) -> bool:
        """Puts a row of a module alike where the first one's stands, if it has one."""
        like = self.like.get(at)
        if like is None or like not in self.of:
            return False
        self.of[at] = self.of[like]
        if like in self.with_:
            self.stand(at, self.with_[like])
        if self.rows[at].role == "main":
            self.read(at, self.of[at])
        return True

    def whole(self) -> Boxes:
        """What stands nowhere yet: beside what it reads, and rows that no input reaches where they are read first."""
        for at in range(len(self.rows)):
            if at in self.of:
                self.stand(at, self.parts[self.of[at]].rows)
        readers: dict[int, int] = {}
        for at in reversed(range(len(self.rows))):
            readers.update(dict.fromkeys(self.rows[at].reads, at))
        for at in reversed(range(len(self.rows))):
            if at not in self.with_ and readers.get(at) in self.with_:
                self.stand(at, self.with_[readers[at]])
        return self


def _places(rows: Sequence[Row], alike: folding.Lines) -> dict[int, int]:
    """The rows of modules that are drawn by another alike -> that one's."""
    at = {(row.path, row.reads): place for place, row in enumerate(rows)}
    return {at[key]: at[like] for key, like in alike.like.items()}


def one_behind_another(rows: Sequence[Row]) -> folding.Lines:
    """What is alike in all, each but the first of it reading the one before: what ×n may stand for between layers."""
    alike = folding.folded(rows, folding.DEEPEST)
    copies: dict[
        int, tuple[str, int]
    ] = {}  # a row -> the module it is drawn by, and which of those alike it is in
    number: Counter[int] = Counter()
    at = {(row.path, row.reads): place for place, row in enumerate(rows)}
    for key, (path, _) in alike.repeats.items():
        copies[at[key]] = (path, 0)
    for place, first in _places(rows, alike).items():
        number[first] += 1
        copies[place] = (copies[first][0], number[first])
    chained = {
        (path, n)
        for place, (path, n) in copies.items()
        if any(copies.get(read) == (path, n - 1) for read in rows[place].reads)
    }
    kept = {
        path
        for path, n in {*alike.repeats.values()}
        if path not in alike.unlike and all((path, each) in chained for each in range(1, n))
    }
    repeats = {key: repeat for key, repeat in alike.repeats.items() if repeat[0] in kept}
    like = {key: first for key, first in alike.like.items() if first in repeats}
    return alike._replace(repeats=repeats, like=like)


def by_name(rows: Sequence[Row], names: Sequence[str], alike: folding.Lines | None) -> Boxes:
    """A part for each name, but none that reads what stands behind it: the name's further rows are another part."""
    boxes = Boxes(rows, alike)
    parts: dict[str, int] = {}
    for at, name in enumerate(names):
        if boxes.live[at]:
            part = parts.get(name)
            if part is not None and not boxes.parts[part].repeat and max(boxes.before(at)) > part:
                part = None
            parts[name] = boxes.put(at, part)
    return boxes.whole()


def layers(rows: Sequence[Row], alike: folding.Lines | None) -> Boxes:
    """A part for each row."""
    boxes = Boxes(rows, alike)
    for at in range(len(rows)):
        if boxes.live[at] and not boxes.as_another(at):
            boxes.put(at, None)
    return boxes.whole()


def figure(rows: Sequence[Row], alike: folding.Lines | None) -> Boxes:
    """A part for each layer that figures show, with the rows behind it, and for each meeting of several.

    What stands on a shortcut or in a gate is no part of its own.
    """
    boxes = Boxes(rows, alike)
    beside: dict[
        int, list[int]
    ] = {}  # a row on a shortcut or in a gate -> those that lead to it, and it
    for at, row in enumerate(rows):
        if not boxes.live[at] or boxes.as_another(at):
            continue
        before = boxes.before(at)
        on = [*dict.fromkeys(one for read in row.reads for one in beside.get(read, ()))]
        if row.role != "main":
            boxes.of[at] = before[0]
            beside[at] = [*on, at]
        elif row.layer.join and before[0] < before[-1]:
            boxes.of[at] = before[-1]
            boxes.stand(at, boxes.parts[before[-1]].rows)
            shortcut = Past(before[0], before[-1], [])
            for one in on:
                boxes.stand(one, shortcut.rows)
            boxes.shortcuts.append(shortcut)
        else:
            part = boxes.put(at, None if _has_a_box(boxes, at, before) else before[0])
            for one in on:
                boxes.stand(one, boxes.parts[part].rows)
    return boxes.whole()


def _has_a_box(boxes: Boxes, at: int, before: Sequence[int]) -> bool:
    row = boxes.rows[at]
    if row.macs or row.layer.gate or isinstance(row.layer, Uncounted) or len({*before}) > 1:
        return True
    part = boxes.parts[before[0]]
    beyond = part.repeat and boxes.repeats.get((row.path, row.reads)) != part.repeat
    changes = row.output != row.input
    own = bool(row.layer.tensors()) and (part.input is not None or bool(beyond))
    return (changes and (row.layer.in_figure or bool(beyond))) or own
