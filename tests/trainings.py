"""Folders as train writes them, of networks that were never trained: their weights are the initial ones."""

from dataclasses import asdict

from safetensors.torch import save_file

from resnet_cli import runs
from resnet_cli.datasets import digits
from resnet_cli.designs import zoo
from resnet_cli.pytorch.build import build
from resnet_cli.recipes import RECIPES
from resnet_cli.runs import Data, Environment, Point, Record, Trained

DIGITS = digits.read()
SEEDS = (0, 1)


def tiny(name, **changes):
    """The network with two blocks a stage, for digits."""
    return zoo.changed(
        zoo.find(name), stages=(2, 2, 2), in_channels=1, input_size=(8, 8), **changes
    )


def point(iteration, seed, error, last=False):
    return Point(iteration, 1.0, 0.02, 1.0, error + seed, 90.0 if last else None, None, error / 2)


def written(folder, *specs, sha256=DIGITS.sha256, modules=()):
    """The folder of a training whose weights are the initial ones; errors of curves are made up."""
    nets = tuple(
        Trained(spec.name, spec.name, spec.name, spec.family, 14, 1, {
            key: [*value] if isinstance(value, tuple) else value for key, value in asdict(spec).items()})
        for spec in specs
    )  # fmt: skip
    data = Data("digits", "digits", 1, 8, 8, 10, len(DIGITS.train.labels), 360, sha256)
    environment = Environment("0", "3", "2", "Linux", "cpu", 1)
    record = Record(runs.SCHEMA, RECIPES["digits"], data, nets + modules, SEEDS, environment)
    folder.mkdir()
    runs.write_record(str(folder), record)
    for spec in specs:
        for seed in SEEDS:
            place = folder / f"{spec.name}-s{seed}"
            place.mkdir()
            runs.write_curve(str(place), [point(25, seed, 80.0), point(50, seed, 40.0, last=True)])
            state = build(spec, seed=seed).state_dict()
            save_file(
                {key: value.contiguous() for key, value in state.items()}, place / runs.WEIGHTS
            )
    return str(folder)
