"""What a trained network loses with a block: test errors with each of its blocks deleted, or two swapped.

Veit et al. 2016, "Residual Networks Behave Like Ensembles of Relatively Shallow Networks", Sec. 4.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from resnet_cli.analyses import gradient
from resnet_cli.analyses.notation import several
from resnet_cli.analyses.seeds import estimate
from resnet_cli.charts import Axis, Chart, Point, Series
from resnet_cli.networks import Network
from resnet_cli.tables import Column, Table
from resnet_cli.trace import Row


class Lesion(NamedTuple):
    """What is done to a network: ``replaced`` has the path of each module that another, or nothing, stands in for.

    ``why_not`` says why it can't be done.
    """

    label: str
    replaced: Mapping[str, str | None]
    why_not: str = ""

    @property
    def path(self) -> str:
        """The modules that it is done to."""
        return " ↔ ".join(self.replaced)


class Lesioned(NamedTuple):
    """Test errors of one network in per cent, by seed: intact, and after each of the lesions that can be done."""

    name: str
    network: Network
    seeds: Sequence[int]
    lesions: Sequence[Lesion]
    intact: Sequence[float]
    errors: Sequence[Sequence[float]]

    @property
    def done(self) -> list[Lesion]:
        """Those that can be done, in the order of the errors."""
        return [lesion for lesion in self.lesions if not lesion.why_not]

    @property
    def medians(self) -> list[float]:
        """For each seed the median over the lesions."""
        return [*map(median, self.errors)]

    def of(self, lesion: Lesion) -> list[float]:
        """The error after a lesion, for each seed."""
        at = self.done.index(lesion)
        return [errors[at] for errors in self.errors]


def deletions(network: Network) -> list[Lesion]:
    """Each block deleted: its input is handed on in its place, as its identity shortcut does."""
    places, _ = gradient.places(network, "block")
    return [
        Lesion(label, {path: None}, _why_whole(path, network.rows))
        for path, label in places.items()
    ]


def swaps(network: Network) -> list[Lesion]:
    """Each two neighbouring blocks that could both be deleted, swapped."""
    return [
        Lesion(f"{one.label} ↔ {other.label}", dict(zip(paths, reversed(paths), strict=True)))
        for one, other in pairwise(deletions(network))
        if not one.why_not and not other.why_not
        for paths in [(*one.replaced, *other.replaced)]
    ]


def _why_whole(path: str, rows: Sequence[Row]) -> str:
    """Why a block can't be left out; "" for one that hands on its input, or of a plain network one that keeps its shape."""
    inner = [row for row in rows if path in (*row.inside, row.path)]
    before, after = inner[0].input, inner[-1].output
    if before != after:
        return f"it makes {_shape(after)} of {_shape(before)}"
    if any(row.role == "shortcut" and row.layer.tensors() for row in inner):
        return "its shortcut is a projection"
    factors = [row.layer.constant for row in inner if row.layer.join]
    if None in factors:
        return "its shortcut is gated"
    scaled = [factor for factor in factors if factor != 1]
    return f"its shortcut is scaled by {scaled[0]:g}" if scaled else ""


def _shape(shape: Sequence[int]) -> str:
    return "×".join(map(str, shape))


def compared(measured: Sequence[Lesioned], shuffled: bool) -> Table:
    """A row for each network: its test error before and after, the median and the spread over the lesions."""
    done = "swapped" if shuffled else "deleted"
    columns = (
        Column("name", "network"),
        Column("blocks", "blocks", "exact", 3),
        Column("lesions", f"{'pairs ' if shuffled else ''}{done}", "exact", 2),
        Column("intact", "test error intact", "estimate"),
        Column("median", f"median with one {'pair ' if shuffled else ''}{done}", "estimate"),
        Column("spread", "least to largest", "range", 1),
        Column("line", "first to last", "line", 4),
    )
    means = [mean for one in measured for mean in _means(one)]
    scale = {"low": min(means), "high": max(means)}
    rows = [
        (
            one.name, _blocks(one), len(one.done), estimate(one.intact), estimate(one.medians),
            [min(_means(one)), max(_means(one))], {"values": _means(one), **scale},
        )
        for one in measured
    ]  # fmt: skip
    return Table("rows", "", columns, rows)


def _means(one: Lesioned) -> list[float]:
    """After each lesion, the mean over the seeds."""
    return [estimate(one.of(lesion))[0] for lesion in one.done]


def _blocks(one: Lesioned) -> int:
    return len(deletions(one.network))


Cells = tuple[str, str, list[float] | None, float | None, str | None]


def by_lesion(one: Lesioned, shuffled: bool) -> Table:
    """A row for each block: the test error without it, or why it can't be left out."""
    columns = (
        Column("block", "swapped" if shuffled else "without block"),
        Column("path", "path", drop=1),
        Column("error", "test error", "estimate"),
        Column("more", "more than intact", "+number"),
        Column("why_not", "why not", drop=2),
    )
    intact = estimate(one.intact)[0]
    rows: list[Cells] = [("none: intact", "", estimate(one.intact), None, None)]
    for lesion in one.lesions:
        error = None if lesion.why_not else estimate(one.of(lesion))
        more = None if error is None else error[0] - intact
        rows.append((lesion.label, lesion.path, error, more, lesion.why_not or None))
    return Table("rows", one.name, columns, rows)


def chart(measured: Sequence[Lesioned], notes: Sequence[str]) -> Chart:
    """A line for each network: the test error without each block, over the seeds; and thin that of the intact one."""
    lines = []
    for one in measured:
        points = []
        for at, lesion in enumerate(one.lesions, start=1):
            if not lesion.why_not:
                errors = one.of(lesion)
                low, high = (min(errors), max(errors)) if len(errors) > 1 else (None, None)
                points.append(Point(at, estimate(errors)[0], lesion.label, low, high))
        intact = estimate(one.intact)[0]
        ends = [Point(1, intact), Point(len(one.lesions), intact)]
        lines.append(Series(f"{one.name}, intact", ends, network=one.name, thin=True))
        lines.append(Series(one.name, points, network=one.name))
    seeds = {f"mean over {several(len(one.seeds), 'seed')}" for one in measured}
    return Chart(
        "lesion",
        "Test error with one block deleted",
        Axis("block that is deleted, from the input", kind="exact"),
        Axis("test error, %", "%", "number"),
        lines,
        [
            f"{' or '.join(sorted(seeds))}, in pictures shaded from the least to the largest; thin: intact",
            *notes,
        ],
    )


def explained(measured: Sequence[Lesioned]) -> Iterator[str]:
    """Which blocks can't be deleted and why, networks of which the same is true together."""
    names: dict[str, list[str]] = {}
    for one in measured:
        labels: dict[str, list[str]] = {}
        for lesion in one.lesions:
            if lesion.why_not:
                labels.setdefault(lesion.why_not, []).append(lesion.label)
        told = "; ".join(f"{', '.join(of)}: {reason}" for reason, of in labels.items())
        if told:
            names.setdefault(told, []).append(one.name)
    for told, of in names.items():
        yield f"not deleted in {', '.join(of)}: {told}"
