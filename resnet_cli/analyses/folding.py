"""Modules as lines of a table: as deep as asked, what is alike once, small layers with the one before them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from math import prod
from operator import itemgetter
from typing import NamedTuple, TypeAlias

from resnet_cli.layers.arithmetic import Shape
from resnet_cli.trace import Row

DEEPEST = 64
"""Modules nested deeper stand on one line with the one that is so deep."""
Call: TypeAlias = tuple[str, tuple[int, ...]]
"""A row's path and what it reads, as one module may be called several times."""


class Lines(NamedTuple):
    """Which line a row is on; where a line stands for several modules that are alike, how many ``times``.

    ``unlike`` are the lines of modules whose channels differ, ``modules`` those of modules as a whole.
    Of the outermost modules that are alike ``repeats`` has for each row of the first its module's path and
    how many they are, ``like`` for each row of the others the one of the first.
    """

    of: dict[Call, str]
    times: dict[str, int]
    unlike: list[str]
    modules: set[str]
    repeats: dict[Call, tuple[str, int]]
    like: dict[Call, Call]

    def name(self, row: Row) -> str:
        """The line of a row."""
        return self.of[row.path, row.reads]


class _Child(NamedTuple):
    """A module with its rows, or a layer with those that joined it."""

    path: str
    is_module: bool
    rows: list[Row]


def folded(rows: Sequence[Row], depth: int) -> Lines:
    """The lines of modules nested so deep.

    Neighbours whose names differ in one number alone and whose layers are the same are one line. So are
    modules whose shapes differ in one side alone: channels. Layers without MACs that leave the number of
    elements as it is join the line of the layer that they read, and so do those without weights one another.
    """
    lines = Lines({}, {}, [], set(), {}, {})
    _walk(rows, "", depth, 1, lines)
    return lines


def deepest(rows: Sequence[Row], most: int) -> Lines:
    """The deepest nesting that takes at most so many lines; the outermost modules where they are more."""
    lines = folded(rows, 1)
    for depth in range(2, DEEPEST + 1):
        deeper = folded(rows, depth)
        if len(set(deeper.of.values())) > most or deeper == lines:
            break
        lines = deeper
    return lines


def _walk(rows: Iterable[Row], prefix: str, depth: int, times: int, lines: Lines) -> None:
    for group, exact in _alike(_children(rows, prefix)):
        first, many = group[0], times * len(group)
        if not exact:
            lines.unlike.append(first.path)
        if first.is_module and depth > 1:
            _walk(first.rows, f"{first.path}.", depth - 1, many, lines)
        else:
            lines.of.update({(row.path, row.reads): first.path for row in first.rows})
            if many > 1:
                lines.times[first.path] = many
            if first.is_module:
                lines.modules.add(first.path)
        if times == 1 and len(group) > 1:
            lines.repeats.update({(row.path, row.reads): (first.path, many) for row in first.rows})
        for other in group[1:]:
            for row, like in zip(other.rows, first.rows, strict=True):
                lines.of[row.path, row.reads] = lines.name(like)
                if times == 1:
                    lines.like[row.path, row.reads] = (like.path, like.reads)


def _children(rows: Iterable[Row], prefix: str) -> list[_Child]:
    """The modules and layers right below a module, as they are first run; small ones with those they read."""
    at = len(prefix)
    named = [
        (prefix + row.path[at:].partition(".")[0] if row.path[at:] else row.path, row)
        for row in rows
    ]
    holders = {name for name, row in named if len(row.path) > len(name) > at}
    multiply = {name for name, row in named if row.macs}
    children: list[_Child] = []
    known: dict[str, _Child] = {}
    for name, group in groupby(named, key=itemgetter(0)):
        own = [row for _, row in group]
        if name in known and name in multiply:
            known[name].rows.extend(own)
        elif children and name not in multiply and _joins(own, children[-1]):
            children[-1].rows.extend(own)
        else:
            known[name] = _Child(name, name in holders, own)
            children.append(known[name])
    return children


def _joins(rows: Sequence[Row], before: _Child) -> bool:
    """Whether layers join a line: each reads nothing but the one before it, or there is no weight in all of them."""
    if not any(row.macs or row.layer.tensors() for row in (*before.rows, *rows)):
        return not before.is_module
    shape = before.rows[-1].output
    for row in rows:
        if len(row.reads) != 1 or row.input != shape or prod(row.output) != prod(shape):
            return False
        shape = row.output
    return not before.is_module


def _alike(children: Iterable[_Child]) -> list[tuple[list[_Child], bool]]:
    """Neighbours that are alike, and whether they are so in all."""
    groups: list[tuple[list[_Child], bool]] = []
    before: tuple[object, ...] = ()
    for child in children:
        key = _key(child)
        group, exact = groups[-1] if groups else ([], True)
        follows = bool(group) and _numbered(group[-1].path, child.path)
        if follows and exact and key == before:
            group.append(child)
        elif (
            follows and not (exact and group[1:]) and child.is_module and _similar(group[-1], child)
        ):
            groups[-1] = ([*group, child], False)
        else:
            groups.append(([child], True))
        before = key
    return groups


def _numbered(one: str, other: str) -> bool:
    """Whether two names differ in a number alone."""
    parts = zip(re.split("([0-9]+)", one), re.split("([0-9]+)", other), strict=False)
    differing = [(a, b) for a, b in parts if a != b]
    return len(differing) == 1 and all(map(str.isdecimal, differing[0]))


def _key(child: _Child) -> tuple[object, ...]:
    at = len(child.path)
    return tuple(
        (row.path[at:], *_kind(row), row.inputs, row.output, row.macs, *_shapes(row))
        for row in child.rows
    )  # fmt: skip


def _kind(row: Row) -> tuple[str, str]:
    return row.layer.operator, row.role


def _similar(one: _Child, other: _Child) -> bool:
    """Whether two modules have the same layers, whose outputs and weights differ in one side at most."""
    at, of = len(one.path), len(other.path)
    return len(one.rows) == len(other.rows) and all(
        (a.path[at:], *_kind(a)) == (b.path[of:], *_kind(b)) and all(map(_but_one_side, _shapes(a), _shapes(b)))
        for a, b in zip(one.rows, other.rows, strict=True)
    )  # fmt: skip


def _shapes(row: Row) -> list[Shape]:
    return [row.output, *row.layer.parameters().values()]


def _but_one_side(one: Shape, other: Shape) -> bool:
    return len(one) == len(other) and sum(a != b for a, b in zip(one, other, strict=True)) <= 1
