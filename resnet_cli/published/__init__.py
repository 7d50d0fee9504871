"""Figures that papers and torchvision print, as they were printed, each with its source and convention."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import NamedTuple

ERRORS = {
    "top1_err": "top-1", "top5_err": "top-5", "cifar10_err": "CIFAR-10", "cifar100_err": "CIFAR-100",
    "svhn_err": "SVHN",
}  # fmt: skip
"""Quantities that are per cents wrong, as people say them."""
ACCURACIES = {"top1_acc": "top1_err", "top5_acc": "top5_err"}
"""Quantities that are per cents right, and the errors that are the rest."""


class Figure(NamedTuple):
    """One printed figure: a row of figures.csv.

    ``network`` and ``overrides`` say which network it holds for, by a name of the list, or of a
    library for one that is not described here yet; both are empty where nothing has a name.
    ``counts`` says by which rule, "" for what no rule gives, such as an error. ``agrees`` is whether
    that rule gives the printed digits: by rounding, by cutting or no. ``remark`` says why where it is
    no, or where the network is not described.
    """

    source: str
    arxiv: str
    table: str
    printed_name: str
    network: str
    overrides: str
    quantity: str
    printed: str
    unit: str
    counts: str
    agrees: str
    setting: str
    remark: str

    def error(self) -> tuple[str, float] | None:
        """What it is of `ERRORS`, and the per cent wrong; None where it is no number of that kind."""
        quantity = ACCURACIES.get(self.quantity, self.quantity)
        if quantity not in ERRORS or not self.printed.replace(".", "").isdigit():
            return None
        number = float(self.printed)
        return quantity, number if quantity == self.quantity else round(100 - number, 3)

    def where(self) -> str:
        """`He et al. 2015, Table 1 (shortcut A)`, with the setting of an error, a rule, a remark."""
        conditions = [o.replace("=", " ").replace("_", " ") for o in self.overrides.split(";") if o]
        if self.counts not in ("", "macs", "params", "layers"):
            conditions.append(self.counts)
        parts = [self.source, self.table + (f" ({', '.join(conditions)})" if conditions else "")]
        if not self.counts and self.setting:
            parts.append(self.setting)
        return ", ".join(parts) + (f"; {self.remark}" if self.remark else "")


def changes(overrides: str) -> dict[str, object]:
    """A figure's overrides as fields of a spec."""
    fields: dict[str, object] = {}
    for item in filter(None, overrides.split(";")):
        key, _, value = item.partition("=")
        whole = tuple(map(int, value.split(","))) if value[0].isdigit() else None
        several = key in ("stages", "input_size")
        fields[key] = value if whole is None else whole if several else whole[0]
    return fields


@cache
def figures() -> tuple[Figure, ...]:
    """Every figure, in the order of the papers."""
    with Path(__file__).with_name("figures.csv").open(encoding="utf-8", newline="") as file:
        return tuple(Figure(*row) for row in list(csv.reader(file))[1:])
