"""lesion(): what trained networks lose with each of their blocks."""

from __future__ import annotations

import os
from collections.abc import Sequence

from resnet_cli import runs
from resnet_cli.analyses import lesion as analysis
from resnet_cli.analyses.lesion import Lesioned
from resnet_cli.analyses.notation import several
from resnet_cli.answers import engines
from resnet_cli.answers.gradient import Progress, silent
from resnet_cli.answers.needs import need
from resnet_cli.answers.view import View, beside
from resnet_cli.designs import limits
from resnet_cli.errors import UserError, printable
from resnet_cli.inputs import Given, Typed
from resnet_cli.models import load
from resnet_cli.networks import Network, of_spec
from resnet_cli.recipes import in_words
from resnet_cli.runs import Record, Run, Trained, Training

LEVELS = ("network", "block")


def lesion(
    folder: str,
    *names: str,
    shuffle: bool = False,
    level: str = "network",
    run_code: bool = False,
    progress: Progress = silent,
) -> View:
    """The test error of the networks of a training with each block deleted in turn, beside that of the intact ones.

    ``folder`` is what `resnet_cli.train` wrote; ``names`` are those of its networks that are asked about, else all. With
    ``shuffle`` each two neighbouring blocks are swapped instead. At ``level`` block there is a line for each. Raises
    `UserError` for networks that the folder does not have, for Python that it names without ``run_code``, and (exit 1) for
    damaged files, other data than it was trained on, runs that are not finished, and without torch.
    """
    limits.one_of("level", level, LEVELS)
    measured = measure(folder, names, shuffle, run_code, progress)
    if level == "block":
        tables = [analysis.by_lesion(one, shuffle) for one in measured]
        tables = [t._replace(key="rows" if not i else f"rows_{i}") for i, t in enumerate(tables)]
    else:
        tables = [analysis.compared(measured, shuffle)]
    networks = [
        {
            "name": one.name,
            "seeds": [*one.seeds],
            "intact": [*one.intact],
            "lesions": [
                {
                    "label": each.label,
                    "paths": [*each.replaced],
                    "why_not": each.why_not or None,
                    "errors": [] if each.why_not else one.of(each),
                }
                for each in one.lesions
            ],
        }
        for one in measured
    ]
    given = [one.network for one in measured]
    seeds = dict.fromkeys(several(len(one.seeds), "seed") for one in measured)
    said = [
        f"mean ± standard error over {' or '.join(seeds)}",
        *notes(runs.read_record(folder), measured, shuffle),
    ]
    return beside(given, "lesion", tables, said, shuffle=shuffle, networks=networks)


def notes(record: Record, measured: Sequence[Lesioned], shuffle: bool = False) -> list[str]:
    """What was measured, in words, and which blocks were left out."""
    done = (
        "two neighbouring blocks of one shape swapped"
        if shuffle
        else "a block deleted: its input is handed on in its place"
    )
    data = record.data
    return [
        f"test error: per cent of {data.test:,} images of {data.name} that are wrong, weights untouched (Veit et al. "
        f"2016); {done}",
        f"trained for {in_words(record.recipe)}",
        *analysis.explained(measured),
    ]


def measure(
    folder: str,
    names: Sequence[str] = (),
    shuffle: bool = False,
    run_code: bool = False,
    progress: Progress = silent,
) -> list[Lesioned]:
    """The errors of each network and seed. Raises as `lesion`."""
    training = runs.read(folder)
    chosen = [_finished(training, name) for name in named(training.record, names)]
    need("lesion", "torch", "safetensors")
    from resnet_cli.datasets.read import read
    from resnet_cli.pytorch import lesion

    record = training.record
    images = read(record.data.source)
    if images.sha256 != record.data.sha256:
        raise UserError(
            f"{printable(record.data.source)} has other images than {printable(folder)!r} was trained on",
            "put back what it was trained on",
            1,
        )
    networks = [network(of[0].network, record, run_code) for of in chosen]
    lesions = [_lesions(each, shuffle) for each in networks]
    every = [(at, run) for at, of in enumerate(chosen) for run in of]
    errors: list[list[list[float]]] = [[] for _ in chosen]
    for at, run in progress(every, "measuring"):
        replaced = [each.replaced for each in lesions[at] if not each.why_not]
        source, data, dtype = engines.source(networks[at]), record.data, record.recipe.dtype
        errors[at].append(lesion.errors(source, run.weights, images, data.train, dtype, replaced))
    return [
        Lesioned(
            of[0].network.name,
            network,
            [run.seed for run in of],
            done,
            [intact for intact, *_ in by_seed],
            [after for _, *after in by_seed],
        )
        for of, network, done, by_seed in zip(chosen, networks, lesions, errors, strict=True)
    ]


def named(record: Record, names: Sequence[str]) -> list[str]:
    """These networks of a record, else all. Raises `UserError` for one that it does not have."""
    there = tuple(network.name for network in record.networks)
    for name in names:
        limits.one_of("network in the folder", name, there)
    return [*(dict.fromkeys(names) or there)]


def _finished(training: Training, name: str) -> list[Run]:
    """The runs of a network that have their weights."""
    of = [run for run in training.runs if run.network.name == name and run.last is not None]
    if not of:
        raise UserError(
            f"no run of {printable(name)} in {printable(training.folder)!r} is finished",
            f"type resnet-cli train --resume {printable(training.folder)}",
            1,
        )
    return [run for run in of if os.path.isfile(run.weights)]


def network(trained: Trained, record: Record, run_code: bool = False) -> Network:
    """A network of a training as it was trained, without its weights.

    Raises `UserError` where that runs Python and ``run_code`` is not given.
    """
    if trained.spec is not None:
        from resnet_cli.designs import specfile  # tomllib takes milliseconds to load

        return of_spec(specfile.of_fields(trained.spec))
    if not run_code:
        raise UserError(
            f"{printable(trained.model)!r} would run Python, and stands in a file",
            "type --run-code if you trust it",
        )
    data = record.data
    return load(trained.model, Given((Typed(None, (1, data.channels, data.height, data.width)),)))


def _lesions(network: Network, shuffle: bool) -> list[analysis.Lesion]:
    made = analysis.swaps(network) if shuffle else analysis.deletions(network)
    if not any(not each.why_not for each in made):
        reasons = "; ".join(dict.fromkeys(each.why_not for each in made)) or "there are none"
        done = "swapped" if shuffle else "deleted"
        raise UserError(
            f"no blocks of {network.name} can be {done}: {reasons}",
            "give a network with identity shortcuts, such as resnet20",
            1,
        )
    return made
