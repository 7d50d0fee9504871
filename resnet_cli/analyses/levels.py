"""How rows are put together: by stage, block, layer, module or operator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from resnet_cli.designs.limits import one_of
from resnet_cli.trace import Row, modules

LEVELS = ("stage", "block", "layer", "module", "operator")
LINES = 32
"""Up to so many modules are shown where no depth of nesting is asked for."""


class Level(NamedTuple):
    """What a line of a table stands for.

    ``key`` heads its column, ``name`` says of a row which line it belongs to, and ``notes`` whether
    it is another level than the one that was asked for.
    """

    key: str
    name: Callable[[Row], str]
    notes: tuple[str, ...] = ()


def level(rows: Sequence[Row], asked: str | int, allowed: Sequence[str] = LEVELS) -> Level:
    """The level of that name; a number is a depth of module nesting, 1 the outermost.

    Where no row has a stage or a block it is the modules. Raises `UserError` for a level that there
    is not.
    """
    word = str(asked)
    if word.isascii() and word.isdecimal() and int(word[:5]) > 0 and "module" in allowed:
        return _modules(int(word[:5]))
    one_of("level", word, (*allowed, *(("N (modules so deep)",) if "module" in allowed else ())))
    if word == "layer":
        return Level("layer", lambda row: row.path)
    if word == "operator":
        return Level("operator", lambda row: row.layer.operator)
    if word == "stage" and any(row.stage for row in rows):
        return Level("stage", lambda row: row.stage)
    if word == "block" and any(row.block for row in rows):
        return Level("block", lambda row: row.label)
    chosen = _modules(_depth(rows))
    if word == "module":
        return chosen
    return chosen._replace(notes=(f"the network has no {word}s: a row for each module instead",))


def _modules(depth: int) -> Level:
    def name(row: Row) -> str:
        around = modules(row.path)
        return around[min(depth, len(around)) - 1]

    return Level("module", name)


def _depth(rows: Sequence[Row]) -> int:
    """The deepest nesting that takes at most `LINES` lines."""
    deepest = max(len(modules(row.path)) for row in rows)
    for depth in range(deepest, 1, -1):
        if len(set(map(_modules(depth).name, rows))) <= LINES:
            return depth
    return 1
