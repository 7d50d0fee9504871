"""gradient(shatter=True): whether gradients at neighbouring points are related, at initialisation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from resnet_cli.analyses import shatter as analysis
from resnet_cli.analyses.notation import several
from resnet_cli.answers import engines
from resnet_cli.answers.gradient import Case, Progress, cases, silent
from resnet_cli.answers.needs import fits, need
from resnet_cli.answers.view import Model, View, beside
from resnet_cli.designs import limits
from resnet_cli.models import load
from resnet_cli.networks import Network

if TYPE_CHECKING:
    from resnet_cli.datasets.images import Images

NOTES = (
    "autocorrelation of dy/dt at {points} points of the line between two of scikit-learn's digits (Balduzzi et al. "
    "2017): 1 is smooth, 0 is noise; y: the output times normal numbers",
    "of networks as initialised, for {sizes}: {seeds} of weights, digits and y; batch norm's statistics are of the "
    "line and {others} more digits, and frozen",
    "white noise: unrelated numbers; brown noise: their running sum; of as many points and seeds",
)


def shattered(
    *models: Model,
    scale: float | None = None,
    variants: bool = False,
    seeds: int = 5,
    progress: Progress = silent,
) -> View:
    """The autocorrelation of a network's gradients along a line between two real images, beside noise.

    A network with a spec takes the digits as they are, 1×8×8; others get them in the shape of
    their own input. ``scale`` and ``variants`` are as in `resnet_cli.gradient`. Raises `UserError` for networks
    that take no images, for files, and (exit 1) without torch or scikit-learn.
    """
    chosen = [case for model in models for case in cases(load(model), scale, variants)]
    measured = measure(chosen, seeds, progress)
    networks = [
        {
            "name": one.name,
            "model": one.network.name,
            "input": [*one.network.input],
            "autocorrelation": [[*run] for run in one.by_seed],
        }
        for one in measured
        if one.network
    ]
    given = [one.network for one in measured if one.network]
    table = analysis.table(measured)
    return beside(given, "gradient", [table], notes(measured), seeds=seeds, networks=networks)


def notes(measured: Sequence[analysis.Shattered]) -> list[str]:
    """What was measured, in words."""
    from resnet_cli.pytorch.shatter import OTHERS, POINTS

    sizes = dict.fromkeys(one.network.size for one in measured if one.network)
    words = {"points": POINTS, "others": OTHERS, "sizes": f"inputs of {' and '.join(sizes)}"}
    words["seeds"] = several(len(measured[0].by_seed), "seed")
    return [note.format(**words) for note in NOTES]


def measure(
    cases: Sequence[Case], seeds: int, progress: Progress = silent
) -> list[analysis.Shattered]:
    """Each case for each seed, then noise. Raises `UserError` where memory would not do."""
    limits.within("seeds", seeds, 1000)
    need("gradient --shatter", "torch")
    need("gradient --shatter", "sklearn", extra="train")
    from resnet_cli.datasets import digits
    from resnet_cli.pytorch import shatter

    data = digits.read()
    images = shatter.scaled(data)
    chosen = [case._replace(network=_taking(case.network, data)) for case in cases]
    for case in chosen:
        fits(case.network.rows, train_on=shatter.POINTS)
    runs = [(at, seed) for at in range(len(chosen)) for seed in range(seeds)]
    by_case: list[list[list[float]]] = [[] for _ in chosen]
    for at, seed in progress(runs, "measuring"):
        source = engines.source(chosen[at].network)
        slopes = shatter.derivatives(source, seed, images, chosen[at].gate_bias)
        by_case[at].append(analysis.autocorrelation(slopes))
    networks = [
        analysis.Shattered(case.name, case.network, by_seed)
        for case, by_seed in zip(chosen, by_case, strict=True)
    ]
    return [*networks, *analysis.noises(shatter.POINTS, seeds)]


def _taking(network: Network, data: Images) -> Network:
    """The network for these images, where it has a spec to be changed."""
    if network.spec is None:
        return network
    channels, *size = data.shape
    return network.changed(in_channels=channels, input_size=tuple(size), num_classes=data.classes)
