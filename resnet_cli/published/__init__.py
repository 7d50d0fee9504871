"""Figures printed in papers, as they were printed, each with its source and convention."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import NamedTuple


class Figure(NamedTuple):
    """One printed figure: a row of figures.csv.

    ``network`` and ``overrides`` say which network it holds for (both empty for networks that
    cannot be described here), ``counts`` by which rule, ``agrees`` whether that rule gives the
    printed digits: by rounding, by cutting or no. ``remark`` says why where it is no.
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

    def changes(self) -> dict[str, object]:
        """The overrides as fields of a spec."""
        changes: dict[str, object] = {}
        for item in filter(None, self.overrides.split(";")):
            key, _, value = item.partition("=")
            whole = tuple(map(int, value.split(","))) if value[0].isdigit() else None
            several = key in ("stages", "input_size")
            changes[key] = value if whole is None else whole if several else whole[0]
        return changes

    def where(self) -> str:
        """`He et al. 2015, Table 1 (shortcut A)`, with the setting of an error, a rule, a remark."""
        conditions = [o.replace("=", " ").replace("_", " ") for o in self.overrides.split(";") if o]
        if self.counts not in ("", "macs", "params", "layers"):
            conditions.append(self.counts)
        parts = [self.source, self.table + (f" ({', '.join(conditions)})" if conditions else "")]
        if not self.counts and self.setting:
            parts.append(self.setting)
        return ", ".join(parts) + (f"; {self.remark}" if self.remark else "")


@cache
def figures() -> tuple[Figure, ...]:
    """Every figure, in the order of the papers."""
    with Path(__file__).with_name("figures.csv").open(encoding="utf-8", newline="") as file:
        return tuple(Figure(*row) for row in list(csv.reader(file))[1:])
