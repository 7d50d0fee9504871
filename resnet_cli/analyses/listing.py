"""The zoo as one table: which networks, in which order."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from resnet_cli.analyses.cost.counts import totals
from resnet_cli.analyses.published import described
from resnet_cli.designs import zoo
from resnet_cli.published import Figure
from resnet_cli.tables import Column, Table
from resnet_cli.trace import trace

COLUMNS = (
    Column("name", "name"),
    Column("family", "family", drop=4),
    Column("dataset", "data set", drop=7),
    Column("block", "block", drop=6),
    Column("stages", "blocks", "numbers", drop=1),
    Column("layers", "layers", "count", drop=3),
    Column("params", "params", "count"),
    Column("macs", "MACs", "count"),
    Column("error", "error %", "exact", drop=2),
    Column("source", "printed in", drop=5),
)
TITLES = {column.key: column.title for column in COLUMNS}
ERRORS = ("top1_err", "cifar10_err")
"""The errors that are listed."""


FAMILIES = (
    Column("name", "family"),
    Column("count", "networks", "exact", drop=1),
    Column("names", "names"),
    Column("params", "params", "range"),
    Column("macs", "MACs", "range"),
)


class Counts(NamedTuple):
    """What a network costs for one input: the layers that papers count, parameters and MACs.

    ``layers`` is None where the papers' rule means nothing.
    """

    layers: int | None
    params: int
    macs: int


class Listed(NamedTuple):
    """A line of the list: what a network is and costs, and the first error that a paper prints of it.

    ``layers``, ``params`` and ``macs`` are its `Counts`; ``error`` is in per cent, None where none is
    printed.
    """

    name: str
    family: str
    dataset: str
    block: str
    stages: tuple[int, ...]
    layers: int | None
    params: int
    macs: int
    error: float | None
    source: str | None
    setting: str | None


def listed(specs: Sequence[zoo.Spec], figures: Sequence[Figure]) -> list[Listed]:
    """A line for each network, in the order given.

    The error is the first that a paper prints for the network as it is listed: top-1 on ImageNet, or
    on CIFAR-10.
    """
    errors: dict[str, tuple[Figure, float]] = {}
    for figure in figures:
        quantity, error = figure.error() or ("", 0)
        if quantity in ERRORS and not figure.overrides and (of := described(figure.network, "")):
            errors.setdefault(of.name, (figure, error))
    lines = []
    for spec in specs:
        printed = errors.get(spec.name)
        lines.append(
            Listed(
                spec.name, spec.family, zoo.dataset(spec), getattr(spec, "block", ""), spec.stages,
                *counts(spec),
                printed[1] if printed else None,
                f"{printed[0].source}, {printed[0].table}" if printed else None,
                printed[0].setting if printed else None,
            )
        )  # fmt: skip
    return lines


@cache
def counts(spec: zoo.Spec) -> Counts:
    """A listed network's counts as they are stored, any other's as they are `counted`."""
    stored = _stored().get(spec.name) if zoo.is_listed(spec) else None
    return stored or counted(spec)


def counted(spec: zoo.Spec) -> Counts:
    """The counts of its rows."""
    total = totals(trace(spec.net(), spec.input_shape))
    return Counts(total["layers"], total["params"], total["macs"])


@cache
def _stored() -> dict[str, Counts]:
    """Those of counts.csv by name: a list of two hundred networks is to come at once, and a trace takes milliseconds."""
    with Path(__file__).with_name("counts.csv").open(encoding="utf-8", newline="") as file:
        return {
            name: Counts(int(layers) if layers else None, int(params), int(macs))
            for name, layers, params, macs in [*csv.reader(file)][1:]
        }


def families(lines: Sequence[Listed]) -> list[dict[str, Any]]:
    """JSON's "families": their networks, with the least and most parameters and MACs of these."""
    members: dict[str, list[Listed]] = {}
    for line in lines:
        members.setdefault(line.family, []).append(line)
    return [
        {
            "name": family,
            "count": len(own),
            "names": [line.name for line in own],
            **_ends("params", [line.params for line in own]),
            **_ends("macs", [line.macs for line in own]),
        }
        for family, own in members.items()
    ]


def _ends(key: str, numbers: Sequence[int]) -> dict[str, int]:
    return {f"{key}_least": min(numbers), f"{key}_most": max(numbers)}


def by_family(lines: Sequence[dict[str, Any]]) -> Table:
    """`families` for people."""
    body = [
        (
            line["name"], line["count"], ", ".join(line["names"]),
            *((line[f"{key}_least"], line[f"{key}_most"]) for key in ("params", "macs")),
        )
        for line in lines
    ]  # fmt: skip
    return Table("families", "", FAMILIES, body)


def ordered(lines: Sequence[Listed], key: str, reverse: bool) -> list[Listed]:
    """Sorted by a column, the largest first if reversed; those that have no such number come last."""

    def value(line: Listed) -> Any:
        return getattr(line, key)

    known = [line for line in lines if value(line) is not None]
    rest = [line for line in lines if value(line) is None]
    return sorted(known, key=value, reverse=reverse) + rest


def table(lines: Sequence[Listed]) -> Table:
    """A row for each, without the setting of its error."""
    return Table("rows", "", COLUMNS, [line[: len(COLUMNS)] for line in lines])
