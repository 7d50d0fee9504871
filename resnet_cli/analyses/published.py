"""What papers print of a network, and whether our number has the printed digits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from resnet_cli.analyses.cost.terms import by_rule
from resnet_cli.designs import zoo
from resnet_cli.published import Figure
from resnet_cli.tables import Column, Table
from resnet_cli.trace import Row, trace

ERRORS = {
    "top1_err": "top-1", "top5_err": "top-5", "cifar10_err": "CIFAR-10", "cifar100_err": "CIFAR-100",
}  # fmt: skip
"""Quantities that are per cents wrong, as people say them."""
CUTTING = (
    "agrees by cutting: the printed digits are the first ones of ours, cut off instead of rounded"
)
UNITS = {"": 1, "M": 10**6, "G": 10**9}


def agreement(ours: int, printed: str, unit: str) -> str:
    """Whether ours has the printed digits: "by rounding", "by cutting" or "no"."""
    digits = len(printed.partition(".")[2])
    number = int(printed.replace(".", ""))
    scale = UNITS[unit]
    if (2 * ours * 10**digits + scale) // (2 * scale) == number:
        return "by rounding"
    return "by cutting" if ours * 10**digits // scale == number else "no"


def counted(
    spec: zoo.Spec, figures: Iterable[Figure], rows: list[Row] | None = None
) -> list[tuple[Figure, int | None]]:
    """The figures of this network, each with our count by its own rule (None for an error).

    ``rows`` are the spec's own where they are known already.

    A listed network has every figure printed under its name, also those of a variant (which the
    source then names); a changed one has those that hold for just what it is.
    """
    listed = zoo.is_listed(spec)
    of_network: list[tuple[Figure, int | None]] = []
    traced: dict[zoo.Spec, list[Row]] = {spec: rows} if rows else {}
    for figure in figures:
        if not figure.network:
            continue
        if listed and figure.network != spec.name:
            continue
        base = zoo.find(figure.network)
        variant = zoo.changed(base, **figure.changes())
        if not listed and _unnamed(variant) != _unnamed(spec):
            continue
        ours = None
        if figure.counts:
            if variant not in traced:
                traced[variant] = trace(variant.net(), variant.input_shape)
            ours = by_rule(figure.counts, traced[variant])
        of_network.append((figure, ours))
    return of_network


def of_network(
    spec: zoo.Spec, figures: Iterable[Figure], rows: list[Row] | None = None
) -> list[dict[str, Any]]:
    """JSON's "published": what is printed of this network, and whether ours agrees."""
    return [
        {
            "source": figure.where(),
            "quantity": figure.quantity,
            "printed": f"{figure.printed} {figure.unit}".rstrip(),
            "ours": ours,
            "agrees": None if ours is None else agreement(ours, figure.printed, figure.unit),
        }
        for figure, ours in counted(spec, figures, rows)
    ]


def unexpected(compared: Iterable[tuple[Figure, int | None]]) -> list[str]:
    """Figures that ours meets otherwise than is on record, in words; a known misprint is none."""
    return [
        f"{figure.where()} prints {figure.printed} {figure.unit}, ours is {ours:,}"
        for figure, ours in compared
        if ours is not None and agreement(ours, figure.printed, figure.unit) != figure.agrees
    ]


def _unnamed(spec: zoo.Spec) -> zoo.Spec:
    return zoo.changed(spec, name="", family="")


def tables(figures: Sequence[dict[str, Any]]) -> list[Table]:
    """`of_network` as a table for people; none where nothing is published."""
    columns = (
        Column("quantity", "published"),
        Column("printed", "printed"),
        Column("ours", "ours", "count"),
        Column("agrees", "agrees", drop=1),
        Column("source", "source"),
    )
    body: list[tuple[Any, ...]] = []
    for (source, is_error), group in groupby(
        figures, key=lambda f: (f["source"], f["quantity"] in ERRORS)
    ):
        lines = list(group)
        printed = [line["printed"].replace(" ", "") for line in lines]
        if is_error:  # several errors of one table side by side
            titles = ", ".join(ERRORS[line["quantity"]] for line in lines)
            body.append((f"{titles} error", ", ".join(printed), None, None, source))
            continue
        for line, text in zip(lines, printed, strict=True):
            title = {"flops": "FLOPs"}.get(line["quantity"], line["quantity"])
            body.append((title, text, line["ours"], line["agrees"], source))
    return [Table("published", "", columns, body)] if body else []


def explained(agreements: Iterable[str | None]) -> list[str]:
    """A note on what "by cutting" says, where one of them does."""
    return [CUTTING] if "by cutting" in agreements else []
