"""The terms that counting rules are made of: so many for each of something of a kind of layer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import prod
from typing import NamedTuple

from resnet_cli.analyses.cost.counts import (
    is_counted,
    macs,
    operations,
    parameters,
    parameters_of,
)
from resnet_cli.layers.arithmetic import value
from resnet_cli.published.conventions import Term
from resnet_cli.trace import Row


class Per(NamedTuple):
    """What a term counts of a layer: in words, to be filled in, and as a number."""

    words: str
    of: Callable[[Row], int]


def _mean(row: Row) -> int:
    """An addition an input and a division an output, with thop's floating-point average window."""
    outputs = prod(row.output)
    ratio = 1.0
    for before, after in zip(row.input[1:], row.output[1:], strict=True):
        ratio *= before / after
    return row.times * int((ratio + 1) * outputs)


def _side(row: Row) -> int:
    return row.times * row.layer.window[0] * prod(row.output) if row.layer.window else 0


def _biased(row: Row) -> bool:
    return "bias" in row.layer.tensors()


PER = {
    "mac": Per("{layer}, {times} a MAC", lambda row: row.macs),
    "element": Per("{layer}, {times} an element", lambda row: row.times * prod(row.output)),
    "input": Per("{layer}, {times} an input", lambda row: row.times * prod(row.input)),
    "output": Per("{layer}, {times} an output", lambda row: row.times * prod(row.output)),
    "window": Per(
        "{layer}, {times} a pooled value", lambda r: r.times * r.layer.pooled(r.input, r.output)
    ),
    "mean": Per("{layer}, {times} an input and an output", _mean),
    "side": Per("{layer} k×k, {times}·k an output", _side),
    "operation": Per("{layer}, {times} an elementary operation", operations),
    "parameter": Per("{layer}, {times} a parameter", parameters),
    "bias": Per(
        "{layer} bias, {times} an output", lambda r: r.times * prod(r.output) if _biased(r) else 0
    ),
    "channel": Per("{layer} bias, {times} a channel", lambda r: r.output[0] if _biased(r) else 0),
}
"""What a term may be counted by, under the names of conventions.csv."""


def words(term: Term) -> str:
    """`batch norm, 2 an element`."""
    return PER[term.per].words.format(layer=term.layer, times=abs(term.times))


def rule_name(row: Row) -> str:
    """What counting rules call a row's layer."""
    return row.layer.rule_name or row.layer.operator


def by_name(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Rows by what terms call their layers; a gate's pool has a name of its own beside that."""
    named: dict[str, list[Row]] = {}
    for row in rows:
        named.setdefault(rule_name(row), []).append(row)
    named["gate's pool"] = [row for row in named.get("adaptive pool", ()) if row.role == "gate"]
    return named


def steps(terms: Iterable[Term], named: Mapping[str, Sequence[Row]]) -> list[tuple[str, int]]:
    """What each term adds, in words and as a number; those that add nothing are left out."""
    every = [(words(t), t.times * sum(map(PER[t.per].of, named.get(t.layer, ())))) for t in terms]
    return [step for step in every if step[1]]


class Rule(NamedTuple):
    """How papers count: a quantity of `QUANTITIES`, and terms beside."""

    quantity: str
    terms: tuple[Term, ...] = ()


RULES = {
    "macs": Rule("macs"),
    "macs of convolutions": Rule("macs", (Term(-1, "linear", "mac"),)),
    "macs, additions and gates": Rule(  # SENet's Table 2
        "macs",
        (Term(1, "addition", "element"), Term(1, "scale", "element"), Term(1, "gate's pool", "input")),
    ),
    "params": Rule("params"),
    "params of gates": Rule("params of gates"),
    "params without batch norm": Rule("params", (Term(-1, "batch norm", "parameter"),)),
    "layers": Rule("layers"),
    "channels of the groups": Rule("channels"),
    "channels of a group": Rule("channels of a group"),
}  # fmt: skip
"""The rules by which papers count, by the name that figures.csv gives them."""


def _first_3x3(rows: Sequence[Row]) -> Row:
    """The 3×3 convolution of the first block (conv2 of Xie et al. 2017, Table 2)."""
    return next(
        row
        for row in rows
        if row.role == "main" and row.block and (row.layer.window or (0,))[0] == 3
    )


QUANTITIES: dict[str, Callable[[Sequence[Row]], int]] = {
    "macs": macs,
    "params": lambda rows: sum(parameters_of(rows)),
    "params of gates": lambda rows: sum(
        map(parameters, [row for row in rows if row.role == "gate"])
    ),
    "layers": lambda rows: sum(map(is_counted, rows)),
    "channels": lambda rows: _first_3x3(rows).output[0],
    "channels of a group": lambda rows: value(_first_3x3(rows).layer.tensors()["weight"][1:2]),
}


def by_rule(name: str, rows: Sequence[Row]) -> int:
    """What a paper with this rule of `RULES` would print."""
    rule = RULES[name]
    beside = steps(rule.terms, by_name(rows)) if rule.terms else ()
    return QUANTITIES[rule.quantity](rows) + sum(number for _, number in beside)
