"""How smooth a network is along a line: the autocorrelation of its gradient, beside that of noise.

Balduzzi et al. 2017, "The Shattered Gradients Problem": the gradients of a deep plain network at
neighbouring points are as unrelated as white noise; with shortcuts they stay related.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate
from random import Random
from statistics import mean
from typing import Any, NamedTuple

from resnet_cli.analyses.cost import counts
from resnet_cli.analyses.notation import several
from resnet_cli.analyses.seeds import estimate
from resnet_cli.charts import Axis, Chart, Point, Series
from resnet_cli.errors import UserError
from resnet_cli.networks import Network
from resnet_cli.tables import Column, Table

LAGS = 32
"""Up to so many points apart."""
SHOWN = (1, 2, 4, 8, 16)
"""The lags that a table has."""


class Shattered(NamedTuple):
    """For each seed the autocorrelation at lags 1 to `LAGS`; ``network`` is None for noise."""

    name: str
    network: Network | None
    by_seed: Sequence[Sequence[float]]

    def at(self, lag: int) -> list[float]:
        """Mean over the seeds, and its standard error."""
        return estimate([run[lag - 1] for run in self.by_seed])


def autocorrelation(values: Sequence[float], lags: int = LAGS) -> list[float]:
    """At each lag from 1 on: Σ (g_t − m)(g_(t+lag) − m) / Σ (g_t − m)², m the mean of g.

    Raises `UserError` (exit 1) for values that are all equal but for rounding, or no numbers.
    """
    middle = mean(values)
    apart = [value - middle for value in values]
    if not max(map(abs, apart)) > 1e-5 * abs(middle):
        raise UserError(
            "a gradient is the same all along the line, or no number: nothing to relate",
            "give a network that bends, such as resnet20",
            1,
        )
    power = sum(each * each for each in apart)
    return [
        sum(a * b for a, b in zip(apart, apart[lag:], strict=False)) / power
        for lag in range(1, lags + 1)
    ]


def noises(points: int, seeds: int) -> list[Shattered]:
    """White noise and brown noise, which is its running sum, of so many points."""
    white = [[*_normal(points, seed)] for seed in range(seeds)]
    brown = [[*accumulate(values)] for values in white]
    named = {"white noise": white, "brown noise": brown}
    return [Shattered(name, None, [*map(autocorrelation, runs)]) for name, runs in named.items()]


def _normal(points: int, seed: int) -> Iterable[float]:
    random = Random(seed)
    return (random.gauss() for _ in range(points))


def table(all: Sequence[Shattered]) -> Table:
    """A row for each network and noise: the autocorrelation at some lags, with its standard error."""
    columns = [Column("name", "network"), Column("layers", "layers", "exact", drop=1)]
    columns += [Column(f"lag_{lag}", f"lag {lag}", "estimate", lag - 1) for lag in SHOWN]
    columns.append(Column("line", f"lags 1 to {LAGS}", "line", 20))
    rows = []
    for one in all:
        means = [one.at(lag)[0] for lag in range(1, LAGS + 1)]
        line: dict[str, Any] = {"values": [max(0.0, each) for each in means], "low": 0, "high": 1}
        layers = counts.totals(one.network.rows)["layers"] if one.network else None
        rows.append((one.name, layers, *map(one.at, SHOWN), line))
    return Table("rows", "", columns, rows)


def chart(all: Sequence[Shattered], notes: Sequence[str]) -> Chart:
    """A line for each: autocorrelation by lag, shaded by twice the standard error."""
    lines = []
    for one in all:
        points = []
        for lag in range(1, LAGS + 1):
            middle, *errors = one.at(lag)
            around = [middle + times * error for error in errors for times in (-2, 2)]
            points.append(Point(lag, middle, "", *around))
        lines.append(Series(one.name, points, network=one.name if one.network else ""))
    seeds = len(all[0].by_seed)
    shaded = [f"mean over {several(seeds, 'seed')}, in pictures shaded by twice its standard error"]
    return Chart(
        "shatter",
        "Gradients along a line between two images",
        Axis("lag: points of the line between two gradients", kind="exact"),
        Axis("autocorrelation of dy/dt", kind="number"),
        lines,
        [*(shaded if seeds > 1 else []), *notes],
    )
