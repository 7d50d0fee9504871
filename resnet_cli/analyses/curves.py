"""Errors along a training as He et al. 2015 draw them, in Figures 1, 4 and 6: thin of training, bold of test."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from statistics import mean

from resnet_cli.analyses.notation import several
from resnet_cli.charts import Axis, Chart, Point, Series
from resnet_cli.errors import UserError, printable
from resnet_cli.recipes import in_words
from resnet_cli.runs import Point as Line
from resnet_cli.runs import Run, Training

Error = Callable[[Line], float]


def chart(training: Training, names: Sequence[str]) -> Chart:
    """Two lines for each of these networks, means over its seeds: training error, thin, and test error.

    Raises `UserError` (exit 1) where none of them has a curve yet.
    """
    record, most = training.record, 0
    lines: list[Series] = []
    for name in names:
        of = [run for run in training.runs if run.network.name == name and run.curve]
        most = max(most, len(of))
        if of:
            trained = Series(f"{name}, training", _points(of, _trained), network=name, thin=True)
            lines += [trained, Series(f"{name}, test", _points(of, _tested), network=name)]
    if not lines:
        what = f"no run in {printable(training.folder)!r} has begun"
        raise UserError(what, "type resnet-cli train --resume FOLDER", 1)
    seeds = [f"mean over {several(most, 'seed')}, in pictures shaded from the least to the largest"]
    return Chart(
        "training",
        f"Error while training on {record.data.name}",
        Axis("iteration", kind="exact"),
        Axis("error, %", "%", "number"),
        lines,
        [
            in_words(record.recipe),
            "thin: training error, of the batches since the point before, as they are cropped; bold: test error, of all "
            f"{record.data.test:,} images for testing",
            *(seeds if most > 1 else []),
        ],
    )


def _trained(line: Line) -> float:
    return line.batch_error


def _tested(line: Line) -> float:
    return line.test_error


def _points(of: Iterable[Run], error: Error) -> list[Point]:
    """The mean over the runs at each iteration that a line was written at, with the least and the largest."""
    by_iteration: dict[int, list[float]] = {}
    for run in of:
        for line in run.curve:
            by_iteration.setdefault(line.iteration, []).append(error(line))
    return [
        Point(at, mean(errors), "", *((min(errors), max(errors)) if len(errors) > 1 else ()))
        for at, errors in sorted(by_iteration.items())
    ]
