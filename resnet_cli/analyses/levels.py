"""How rows are put together: by stage, block, layer, module or operator."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

from resnet_cli.analyses import folding
from resnet_cli.designs.limits import one_of
from resnet_cli.networks import Network
from resnet_cli.tables import Column
from resnet_cli.trace import Row, modules

LEVELS = ("stage", "block", "layer", "module", "operator")
LINES = 32
"""Up to so many modules are shown where no depth of nesting is asked for."""


def usual(network: Network) -> str:
    """The level that nobody asked for: stages where a paper names them, else modules."""
    return "stage" if network.origin.kind in ("spec", "weights") else "module"


def of(network: Network, asked: str | int | None, allowed: Sequence[str] = LEVELS) -> Level:
    """The `level` of a network's rows that is asked for, or its usual one."""
    return level(network.rows, usual(network) if asked is None else asked, allowed)


class Level(NamedTuple):
    """What a line of a table stands for.

    ``key`` heads its column, ``name`` says of a row which line it belongs to, and ``notes`` whether
    it is another level than the one that was asked for. Of modules alike one line stands for so many ``times``;
    ``modules`` are the lines that stand for a module as a whole, not for layers; ``lines`` say which are alike.
    """

    key: str
    name: Callable[[Row], str]
    notes: tuple[str, ...] = ()
    times: Mapping[str, int] = {}
    modules: Collection[str] = ()
    lines: folding.Lines | None = None

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns that name a line."""
        own = Column(self.key, self.key)
        return (own, Column("times", "×", "exact")) if self.key == "module" else (own,)

    def cells(self, name: str) -> tuple[object, ...]:
        """A line's cells below them; a total's, too."""
        return (name, self.times.get(name, 1)) if self.key == "module" else (name,)

    def total(self) -> tuple[object, ...]:
        """Those of the total."""
        return ("total", *[None] * (len(self.columns) - 1))


def level(
    rows: Sequence[Row], asked: str | int, allowed: Sequence[str] = LEVELS, fold: bool = True
) -> Level:
    """The level of that name; a number is a depth of module nesting, 1 the outermost.

    Where no row has a stage or a block it is the modules, too; without ``fold`` each has
    a line of its own. Raises `UserError` for a level that there is not.
    """
    word = str(asked)
    check(word, allowed)
    if word.isdecimal():
        return _modules(rows, int(word[:5]), fold)
    if word == "layer":
        return Level("layer", lambda row: row.path)
    if word == "operator":
        return Level("operator", lambda row: row.layer.operator)
    if word == "stage" and any(row.stage for row in rows):
        return Level("stage", lambda row: row.stage)
    if word == "block" and any(row.block for row in rows):
        return Level("block", lambda row: row.label)
    chosen = _modules(rows, None, fold)
    if word == "module":
        return chosen
    told = f"the network has no {word}s: a row for each module instead"
    return chosen._replace(notes=(told, *chosen.notes))


def check(word: str, allowed: Sequence[str] = LEVELS) -> None:
    """Raises `UserError` for what is no level that is allowed, and no number of modules nested where these are."""
    deep = word.isascii() and word.isdecimal() and int(word[:5]) > 0 and "module" in allowed
    if not deep:
        one_of(
            "level", word, (*allowed, *(("N (modules so deep)",) if "module" in allowed else ()))
        )


def _modules(rows: Sequence[Row], depth: int | None, fold: bool) -> Level:
    """Modules so deep, or as deep as takes at most `LINES` lines."""
    if not fold:
        deep = depth or _depth(rows)
        return Level("module", lambda row: _cut(row, deep))
    lines = folding.deepest(rows, LINES) if depth is None else folding.folded(rows, depth)
    notes = []
    if lines.times:
        notes.append("×: so many modules that are alike, one behind another, together on a line")
    if lines.unlike:
        notes.append(f"alike but in their channels: {', '.join(lines.unlike)}")
    return Level("module", lines.name, (*notes,), lines.times, lines.modules, lines)


def _cut(row: Row, depth: int) -> str:
    around = modules(row.path)
    return around[min(depth, len(around)) - 1]


def _depth(rows: Sequence[Row]) -> int:
    """The deepest nesting that takes at most `LINES` lines."""
    deepest = min(max(len(modules(row.path)) for row in rows), folding.DEEPEST)
    for depth in range(deepest, 1, -1):
        if len({_cut(row, depth) for row in rows}) <= LINES:
            return depth
    return 1
