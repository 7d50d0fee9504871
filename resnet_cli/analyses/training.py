"""What a folder of runs says: errors by network, and paired differences between depths."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import sqrt
from statistics import mean, stdev
from typing import Any, NamedTuple

from resnet_cli.designs import zoo
from resnet_cli.published import figures
from resnet_cli.recipes import RECIPES
from resnet_cli.runs import Recipe, Run, Trained, Training
from resnet_cli.tables import Column, Table


class Spread(NamedTuple):
    """A mean over seeds and its standard error, which one seed has not."""

    mean: float
    error: float | None


class Difference(NamedTuple):
    """A deeper network against a shallower one that is like it otherwise, seed by seed, in points of per cent.

    ``verdict`` is whether the deeper one's training error is higher or lower, None where the difference is
    within twice its standard error, or of one seed.
    """

    deep: Trained
    shallow: Trained
    train: Spread
    test: Spread
    seeds: int
    verdict: str | None


def spread(values: Sequence[float]) -> Spread:
    """Mean and standard error."""
    several = len(values) > 1
    return Spread(mean(values), stdev(values) / sqrt(len(values)) if several else None)


def finished(training: Training) -> dict[str, list[Run]]:
    """The runs that are at their end, by network."""
    by_network: dict[str, list[Run]] = {each.name: [] for each in training.record.networks}
    for run in training.runs:
        if run.last:
            by_network[run.network.name].append(run)
    return by_network


def pairs(networks: Sequence[Trained]) -> Iterator[tuple[Trained, Trained]]:
    """Each network with the shallowest that is like it in all but its depth: specs that differ in stages alone."""
    groups: dict[str, list[Trained]] = {}
    for network in networks:
        if network.spec is not None and network.layers is not None:
            own = {
                key: value for key, value in network.spec.items() if key not in ("name", "stages")
            }
            groups.setdefault(repr(sorted(own.items())), []).append(network)
    for group in groups.values():
        shallow, *deeper = sorted(group, key=lambda each: each.layers or 0)
        yield from ((deep, shallow) for deep in deeper if deep.layers != shallow.layers)


def differences(training: Training) -> list[Difference]:
    """Of each of the `pairs`, over the seeds that both have finished; those of no seed are left out."""
    ended = finished(training)
    compared = []
    for deep, shallow in pairs(training.record.networks):
        of_shallow = {run.seed: run.last for run in ended[shallow.name]}
        both = [
            (run.last, of_shallow[run.seed]) for run in ended[deep.name] if run.seed in of_shallow
        ]
        if not both:
            continue
        train = spread([(a.train_error or 0) - (b.train_error or 0) for a, b in both if a and b])
        test = spread([a.test_error - b.test_error for a, b in both if a and b])
        verdict = None
        if train.error is not None and abs(train.mean) > 2 * train.error:
            verdict = "higher" if train.mean > 0 else "lower"
        compared.append(Difference(deep, shallow, train, test, len(both), verdict))
    return compared


ERRORS = (
    Column("network", "network"),
    Column("layers", "layers", "exact", drop=3),
    Column("seeds", "seeds", "exact", drop=2),
    Column("train_error", "training error", "measured"),
    Column("train_se", "± s.e.", "measured"),
    Column("test_error", "test error", "measured"),
    Column("test_se", "± s.e.", "measured"),
)
PUBLISHED = Column("published", "published test error", "percent", drop=1)
DIFFERENCES = (
    Column("deep", "deeper"),
    Column("shallow", "minus"),
    Column("train_difference", "training error, points", "+measured"),
    Column("train_se", "± s.e.", "measured"),
    Column("test_difference", "test error, points", "+measured", drop=2),
    Column("test_se", "± s.e.", "measured", drop=1),
    Column("verdict", "the deeper trains to an error"),
)


def errors(training: Training) -> Table:
    """A row for each network that has finished a run; what papers print stands beside it where the recipe is theirs."""
    printed = published(training)
    rows = []
    for network in training.record.networks:
        ended = [run.last for run in finished(training)[network.name] if run.last]
        if not ended:
            continue
        train = spread([last.train_error or 0 for last in ended])
        test = spread([last.test_error for last in ended])
        own = [network.name, network.layers, len(ended), *train, *test]
        rows.append([*own, *([printed.get(network.name)] if printed else [])])
    return Table("rows", "", [*ERRORS, *([PUBLISHED] if printed else [])], rows)


def compared(found: Sequence[Difference]) -> Table:
    """A row for each paired difference."""
    rows = [
        [each.deep.name, each.shallow.name, *each.train, *each.test, each.verdict] for each in found
    ]
    return Table("differences", "Deeper minus shallower, paired by seed", DIFFERENCES, rows)


def published(training: Training) -> dict[str, float]:
    """The CIFAR-10 test error that He et al. 2015, Table 6, print of a network, where the recipe is the paper's.

    Of ResNet-110 that is the best of five runs.
    """
    from resnet_cli.designs import specfile  # tomllib takes milliseconds to load

    record = training.record
    if record.data.name != "CIFAR-10" or not is_papers(record.recipe):
        return {}
    table = ("He et al. 2015", "Table 6", "cifar10_err")
    printed: dict[str, float] = {}
    for figure in figures():
        if (figure.source, figure.table, figure.quantity) == table and figure.network:
            printed.setdefault(figure.network, float(figure.printed))
    own: dict[str, float] = {}
    for network in record.networks:
        spec = specfile.of_fields(network.spec) if network.spec else None
        if spec and zoo.is_listed(spec) and spec.name in printed:
            own[network.name] = printed[spec.name]
    return own


def is_papers(recipe: Recipe) -> bool:
    """Whether it is that of He et al. 2015, Sec. 4.2, but for what decides no error."""
    papers = RECIPES["he2015-cifar"]
    beside = {key: getattr(recipe, key) for key in ("every", "threads", "dtype", "channels_last")}
    return recipe in (papers._replace(**beside), papers._replace(**beside, held_out=5_000))


def verdicts(found: Sequence[Difference]) -> list[str]:
    """In words what the differences show, of those beyond twice their standard error."""
    return [
        f"{each.deep.name} trains to {'a higher' if each.verdict == 'higher' else 'a lower'} error than "
        f"{each.shallow.name}: by {abs(each.train.mean):.1f} ± {each.train.error:.1f} points"
        for each in found
        if each.verdict and each.train.error is not None
    ]


def rows(training: Training) -> list[dict[str, Any]]:
    """JSON's rows: one for each network and seed, as far as it is."""
    return [
        {
            "network": run.network.name,
            "seed": run.seed,
            "iterations": run.curve[-1].iteration if run.curve else 0,
            "train_error": run.last and run.last.train_error,
            "test_error": run.last and run.last.test_error,
        }
        for run in training.runs
    ]
