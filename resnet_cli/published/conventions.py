"""How other tools count: for each tool its rule, read in its source and met by running it."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import NamedTuple


class Term(NamedTuple):
    """So many for each of something of a kind of layer: 2 for each element of batch norm."""

    times: int
    layer: str
    per: str


class Convention(NamedTuple):
    """One counting rule: a row of conventions.csv.

    ``macs`` is what a multiply-accumulate counts, ``unit`` what the sum is meant in. ``nothing`` are
    layers beside those of the list of networks that the tool counts as nothing, `*` all that are described here. ``checked`` names the networks for which the tool itself, in this version, printed the same: "all" of the
    list, or some. ``sees`` is what it counts: "operators", wherever they are run, or "modules" of torch.nn, and not
    what somebody's own code computes without them.
    """

    name: str
    tool: str
    version: str
    unit: str
    macs: int
    terms: tuple[Term, ...]
    nothing: tuple[str, ...]
    checked: tuple[str, ...]
    remark: str
    sees: str = "operators"

    def knows(self, layer: str) -> bool:
        """Whether it is known how the tool counts a kind of layer, be it as nothing."""
        named = (*COUNTED, *self.nothing, *(term.layer for term in self.terms))
        return layer in named or "*" in self.nothing

    def was_run_on(self, network: str) -> bool:
        """Whether the tool itself printed the same for this network of the list."""
        return "all" in self.checked or network in self.checked


COUNTED = (
    "convolution", "linear", "batch norm", "ReLU", "sigmoid", "dropout", "max pool", "average pool",
    "adaptive pool", "flatten", "zero padding", "addition", "scale",
)  # fmt: skip
"""The layers of the listed networks, on which every tool was run: what none of its terms names it
counts as nothing."""


def _terms(text: str) -> tuple[Term, ...]:
    """`2 batch norm/element; 1 ReLU/element` as terms."""
    terms = []
    for item in filter(None, text.split("; ")):
        times, _, what = item.partition(" ")
        layer, _, per = what.partition("/")
        terms.append(Term(int(times), layer, per))
    return tuple(terms)


@cache
def conventions() -> dict[str, Convention]:
    """Every convention by its name, the papers' first."""
    with Path(__file__).with_name("conventions.csv").open(encoding="utf-8", newline="") as file:
        return {
            name: Convention(
                name,
                tool.format(version=version),
                version,
                unit,
                int(macs),
                _terms(terms),
                (*filter(None, nothing.split("; ")),),
                (*checked.split(),),
                remark,
                sees,
            )
            for name, tool, version, unit, macs, terms, nothing, checked, remark, sees in list(
                csv.reader(file)
            )[1:]
        }
