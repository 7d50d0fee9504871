"""list(): the networks that have a name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from resnet_cli.analyses import listing as analysis
from resnet_cli.analyses.listing import Listed
from resnet_cli.answers.view import View
from resnet_cli.designs import limits, zoo
from resnet_cli.designs.blocks import EXPANSION
from resnet_cli.designs.fields import numbers
from resnet_cli.errors import UserError, did_you_mean, folded
from resnet_cli.published import figures

SORTS = ("name", "family", "layers", "params", "macs", "error")
DATASETS = ("imagenet", "cifar10")
BLOCKS = tuple(EXPANSION)
Lines: TypeAlias = Sequence[Listed]
CIFAR = " (CIFAR)"
"""How a family's name ends that has one of the same name for ImageNet."""


def list(
    *words: str,
    family: str | None = None,
    dataset: str | None = None,
    block: str | None = None,
    layers: int | None = None,
    max_params: float | None = None,
    max_macs: float | None = None,
    max_error: float | None = None,
    sort: str | None = None,
    reverse: bool = False,
    every: bool = False,
) -> View:
    """The families of networks; with a word, a filter, an order or ``every`` the networks themselves.

    Of each its family, data set, block, stages, layers, parameters, MACs and error.

    Each of ``words`` is a part of a name, family, block or data set, the blocks of the stages
    (3-4-6-3), or a pattern for the name (resnet*). ``dataset`` is imagenet or cifar10, ``max_error``
    in per cent, ``sort`` one of the columns. Raises `UserError` where no network is left.
    """
    dataset = None if dataset is None else folded(dataset)
    for what, value, allowed in (
        ("data set", dataset, DATASETS),
        ("block", block, BLOCKS),
        ("order", sort, SORTS),
    ):
        if value is not None:
            limits.one_of(what, value, allowed)
    specs = [spec for spec in zoo.NETWORKS if all(_matches(spec, word) for word in words)]
    if not specs:
        raise UserError(f"no network matches {' '.join(words)[:80]!r}", _meant(words))
    lines: Lines = analysis.listed(specs, figures())
    if family is not None:
        lines = _of_family(lines, family)
    for key, wanted in {"dataset": dataset, "block": block, "layers": layers}.items():
        if wanted is not None:
            lines = _equal(lines, key, wanted)
    for key, most in {"params": max_params, "macs": max_macs, "error": max_error}.items():
        if most is not None:
            lines = _at_most(lines, key, most)
    if sort is not None:
        lines = analysis.ordered(lines, sort, reverse)
    elif reverse:
        lines = lines[::-1]
    notes = ["MACs and layers: as the papers count, for one input"]
    if any(line.error is not None for line in lines):
        notes.append("error: the first that a paper prints of it, top-1 on ImageNet or on CIFAR-10")
    rows = [line._asdict() for line in lines]
    families = analysis.families(lines)
    whole = len(rows) == len(zoo.NETWORKS) and not (words or every or sort or reverse)
    if whole:
        notes = [
            "every network: resnet-cli list --all; some of them: resnet-cli list PATTERN",
            notes[0],
        ]
    shown = analysis.by_family(families) if whole else analysis.table(lines)
    return View({"command": "list", "rows": rows, "families": families}, [shown], notes)


def _matches(spec: zoo.Spec, word: str) -> bool:
    if any(sign in word for sign in "*?["):
        from fnmatch import fnmatchcase

        pattern, name = (text.lower().replace("_", "-") for text in (word, spec.name))
        return fnmatchcase(name, pattern)
    stages = numbers(word) or []
    if len(stages) > 2:
        return tuple(stages) == spec.stages
    texts = (spec.name, spec.family, zoo.dataset(spec), getattr(spec, "block", ""))
    return any(folded(word) in folded(text) for text in texts)


def _meant(words: Sequence[str]) -> str:
    """A hint for the first word that matches nothing, or that words match nothing together."""
    for word in words:
        if not any(_matches(spec, word) for spec in zoo.NETWORKS):
            families = dict.fromkeys(spec.family for spec in zoo.NETWORKS)
            guess = did_you_mean(word, [*zoo.names(), *families, *BLOCKS, *DATASETS])
            return guess or "all names: resnet-cli list"
    return "each matches some, no network matches all: leave one out"


def _of_family(lines: Lines, family: str) -> Lines:
    """Those of a family, for whichever data set."""
    kept = [
        line
        for line in lines
        if folded(family) in (folded(line.family), folded(line.family.removesuffix(CIFAR)))
    ]
    if not kept:
        families = dict.fromkeys(line.family for line in lines)
        guess = did_you_mean(family, families)
        raise UserError(
            f"no network here is of a family named {family[:80]!r}",
            guess or f"there are: {', '.join(families)}",
        )
    return kept


def _equal(lines: Lines, key: str, wanted: object) -> Lines:
    kept = [line for line in lines if getattr(line, key) == wanted]
    if not kept:
        there = ", ".join(map(str, sorted({getattr(line, key) for line in lines} - {"", None})))
        raise UserError(
            f"no network here has {analysis.TITLES[key]} {wanted}", f"there are: {there}"
        )
    return kept


def _at_most(lines: Lines, key: str, most: float) -> Lines:
    known = [line for line in lines if getattr(line, key) is not None]
    kept = [line for line in known if getattr(line, key) <= most]
    if not kept:
        least = min(known, key=lambda line: getattr(line, key), default=None)
        raise UserError(
            f"no network here has {key} of at most {most:,}",
            f"the least is {getattr(least, key):,}, of {least.name}"
            if least
            else "none is printed",
        )
    return kept
