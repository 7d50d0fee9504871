"""Where operators put the numbers that they move, as both formats' operators do it; `RULES` of each are in its folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import TypeAlias

from resnet_cli.graphs.op import Op, Undescribed
from resnet_cli.layers.moves import Kept, Move, Part, Rearranged, Repeated, Untold

Rule: TypeAlias = Callable[[Op], Move]
"""Raises what an operator's arguments may raise that are not read: `move` then says so."""


def move(op: Op, name: str, rules: Mapping[str, Rule]) -> Move:
    """Where an operator puts the numbers of its first input, or of all inputs, by a format's ``rules``."""
    rule = rules.get(name)
    try:
        return rule(op) if rule else Untold(f"{name} takes what numbers say that are not read")
    except (Undescribed, ArithmeticError, LookupError, TypeError, ValueError):
        return Untold(f"{name} has arguments that are not read")


def dimension(op: Op, key: str) -> int:
    """A dimension of the first input. Raises `LookupError` for the batch."""
    at = op.place(key)
    if at < 0:
        raise LookupError("the batch")
    return at


def before(op: Op) -> list[str]:
    """Of one of several outputs: those that come before it."""
    names = op.node.attributes.get("before")
    return [name for name in names if isinstance(name, str)] if type(names) is tuple else []


def split(op: Op, at: int) -> Move:
    """One of several outputs along a dimension, behind those before it."""
    full = at + op.cut(op.node.inputs[0])
    return Part(at, sum(op.dims(name)[full] for name in before(op)))


def viewed(op: Op) -> Move:
    """The same numbers in the same order, in another shape."""
    if prod(op.shape(op.node.inputs[0])) != prod(op.result):
        return Untold("it takes numbers for others")
    return Rearranged()


def kept(op: Op) -> Move:
    """Each number where it is, or there again."""
    return Kept()


def repeated(op: Op) -> Move:
    """All numbers again and again."""
    return Repeated()
