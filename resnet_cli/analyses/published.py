"""What papers print of a network, and whether our number has the printed digits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from itertools import groupby
from typing import Any

from resnet_cli.analyses.cost.terms import by_rule
from resnet_cli.designs import names, zoo
from resnet_cli.published import ACCURACIES, ERRORS, Figure, changes
from resnet_cli.tables import Column, Table
from resnet_cli.trace import Row, trace

CUTTING = (
    "agrees by cutting: the printed digits are the first ones of ours, cut off instead of rounded"
)
TITLES = {
    "flops": "FLOPs", "top1_err": "top-1 error", "top5_err": "top-5 error", "cifar10_err": "CIFAR-10 error",
    "cifar100_err": "CIFAR-100 error", "svhn_err": "SVHN error", "top1_err, top5_err": "top-1, top-5 error",
    "top1_acc": "top-1 accuracy", "top5_acc": "top-5 accuracy", "coco_ap": "COCO AP", "coco_ap50": "COCO AP at 0.5",
    "voc07_map": "VOC 2007 mAP", "voc12_map": "VOC 2012 mAP", "det_map": "ImageNet DET mAP",
    "group_width": "width of a group", "grouped_width": "width of the groups", "file_size": "file size",
}  # fmt: skip
"""Quantities as people say them, where that is not their key."""
UNITS = {"": 1, "M": 10**6, "G": 10**9}


def agreement(ours: int, printed: str, unit: str) -> str:
    """Whether ours has the printed digits: "by rounding", "by cutting" or "no"."""
    digits = len(printed.partition(".")[2])
    number = int(printed.replace(".", ""))
    scale = UNITS[unit]
    if (2 * ours * 10**digits + scale) // (2 * scale) == number:
        return "by rounding"
    return "by cutting" if ours * 10**digits // scale == number else "no"


@cache
def described(network: str, overrides: str) -> zoo.Spec | None:
    """What a figure holds for; None where it is of nothing that is described here."""
    base = names.described(network) if network else None
    if base is None or not overrides:
        return base
    return zoo.changed(base, **changes(overrides))


def counted(
    spec: zoo.Spec, figures: Iterable[Figure], rows: list[Row] | None = None
) -> list[tuple[Figure, int | None]]:
    """The figures of this network, each with our count by its own rule (None for an error).

    ``rows`` are the spec's own where they are known already.

    A listed network has every figure printed under its name, also those of a variant (which the
    source then names); a changed one has those that hold for just what it is.
    """
    traced: dict[zoo.Spec, list[Row]] = {spec: rows} if rows else {}
    return [(figure, count(figure, traced)) for figure in of(spec, figures)]


def of(spec: zoo.Spec, figures: Iterable[Figure]) -> list[Figure]:
    """The figures of a network, as `counted` has them."""
    if zoo.is_listed(spec):
        return [f for f in figures if (base := described(f.network, "")) and base.name == spec.name]
    unnamed = _unnamed(spec)
    return [
        f
        for f in figures
        if (variant := described(f.network, f.overrides)) and _unnamed(variant) == unnamed
    ]


def count(figure: Figure, traced: dict[zoo.Spec, list[Row]]) -> int | None:
    """Our number by the figure's rule; None where it has none, or nobody has described its network.

    ``traced`` has the rows of networks that are known already, and takes those of this one.
    """
    spec = described(figure.network, figure.overrides) if figure.counts else None
    if spec is None:
        return None
    if spec not in traced:
        traced[spec] = trace(spec.net(), spec.input_shape)
    return by_rule(figure.counts, traced[spec])


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


@cache
def _unnamed(spec: zoo.Spec) -> zoo.Spec:
    return zoo.changed(spec, name="", family="")


def status(figure: Figure, ours: int | None) -> str:
    """What is to be said of a figure beside our number.

    "by rounding" and "by cutting" where ours has its digits, "different"; "not described" where a rule
    would give it of a network that is not described here; "measured" where none does.
    """
    if not figure.counts:
        return "measured"
    if ours is None:
        return "not described"
    agrees = agreement(ours, figure.printed, figure.unit)
    return "different" if agrees == "no" else agrees


def tables(figures: Sequence[dict[str, Any]], every: bool = False) -> list[Table]:
    """`of_network` as a table for people, what is printed alike once; none where nothing is published.

    Unless ``every`` is wanted it has what can be counted, and errors and accuracies; `others` is how many
    there are besides.
    """
    columns = (
        Column("quantity", "published"),
        Column("printed", "printed"),
        Column("ours", "ours", "count"),
        Column("agrees", "agrees", drop=1),
        Column("source", "source"),
    )
    sources: dict[tuple[Any, ...], dict[str, None]] = {}
    shown = [line for line in figures if every or _is_shown(line)]
    for (source, kind), group in groupby(shown, key=lambda f: (f["source"], _kind(f["quantity"]))):
        lines = list(group)
        printed = [line["printed"].replace(" ", "") for line in lines]
        if kind:  # several errors of one table side by side
            titles = ", ".join(
                ERRORS[ACCURACIES.get(line["quantity"], line["quantity"])] for line in lines
            )
            cells: tuple[Any, ...] = (f"{titles} {kind}", ", ".join(printed), None, None)
            sources.setdefault(cells, {})[source] = None
            continue
        for line, text in zip(lines, printed, strict=True):
            title = TITLES.get(line["quantity"], line["quantity"])
            cells = (title, text, line["ours"], line["agrees"])
            sources.setdefault(cells, {})[source] = None
    body = [(*cells, "; ".join(where)) for cells, where in sources.items()]
    return [Table("published", "", columns, body)] if body else []


def others(figures: Iterable[dict[str, Any]]) -> int:
    """How many figures `tables` leaves out: of detection, times, sizes of files."""
    return sum(not _is_shown(line) for line in figures)


def _kind(quantity: str) -> str:
    return "error" if quantity in ERRORS else "accuracy" if quantity in ACCURACIES else ""


def _is_shown(line: dict[str, Any]) -> bool:
    return line["ours"] is not None or bool(_kind(line["quantity"]))


def explained(agreements: Iterable[str | None]) -> list[str]:
    """A note on what "by cutting" says, where one of them does."""
    return [CUTTING] if "by cutting" in agreements else []
