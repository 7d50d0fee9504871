"""What is decided before a training begins: its networks, for the data, and the record of all."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from resnet_cli import __version__, models, networks, runs
from resnet_cli.analyses.cost import counts
from resnet_cli.datasets.images import Images
from resnet_cli.designs import fields
from resnet_cli.designs.fields import inline
from resnet_cli.errors import UserError, printable
from resnet_cli.inputs import Given, Typed
from resnet_cli.networks import Network, distinct
from resnet_cli.runs import Data, Environment, Recipe, Record, Trained

MOST_RUNS = 1000
HINT = "give another folder with -o, or go on with resnet-cli train --resume"


def record(
    nets: Sequence[Network],
    images: Images,
    source: str,
    recipe: Recipe,
    seeds: Sequence[int],
    device: str,
    processes: int,
) -> Record:
    """All that decides the runs of these networks, which are `for_images` already.

    Raises `UserError` for more than `MOST_RUNS`, and for a batch that the processes do not share equally.
    """
    if len(nets) * len(seeds) > MOST_RUNS:
        raise UserError(
            f"{len(nets) * len(seeds):,} runs are over {MOST_RUNS:,}",
            "give fewer networks or seeds",
        )
    if recipe.batch % processes:
        raise UserError(
            f"{processes} processes share no batch of {recipe.batch} equally",
            f"give a --batch that is a multiple of {processes}",
        )
    channels, height, width = images.shape
    data = Data(
        source, images.name, channels, height, width, images.classes,
        len(images.train.labels) - recipe.held_out, len(images.test.labels), images.sha256,
    )  # fmt: skip
    made = tuple(_trained(name, net) for name, net in zip(distinct(nets), nets, strict=True))
    places = [runs.place("", each.name, 0) for each in made]
    if twice := next((name for name in places if places.count(name) > 1), None):
        raise UserError(f"two networks would be written into {twice}", "give them other names")
    environment = Environment(
        __version__, platform.python_version(), _version("torch"),
        f"{platform.system()} {platform.machine()}", device, processes,
    )  # fmt: skip
    return Record(runs.SCHEMA, recipe, data, made, tuple(seeds), environment)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


def _trained(name: str, net: Network) -> Trained:
    return Trained(
        name, net.model, net.title, net.family, counts.depth(net.rows),
        sum(map(counts.parameters, net.rows)), _fields(net),
    )  # fmt: skip


def _fields(net: Network) -> dict[str, Any] | None:
    """The spec as JSON has it."""
    if net.spec is None:
        return None
    fields = asdict(net.spec)
    return {key: [*value] if isinstance(value, tuple) else value for key, value in fields.items()}


def for_images(model: Any, images: Images) -> Network:
    """The network of MODEL with the data's channels, size and classes.

    Raises `UserError` for one whose maps become smaller than 1×1, for a file of operations, and for a module
    that does not give a number for each class.
    """
    channels, height, width = images.shape
    if models.is_module(model) or (isinstance(model, Network) and model.module is not None):
        raise UserError(
            "a module that is there already is one network, where each seed makes its own",
            "give what makes it: FILE.py:Net",
        )
    python = isinstance(model, str) and models.is_python(fields.source(model))
    given = Given((Typed(None, (1, channels, height, width)),)) if python else networks.NOTHING
    net = models.load(model, given)
    if net.spec is not None:
        _check_changes(net, images)
        return net.changed(
            in_channels=channels, input_size=(height, width), num_classes=images.classes
        )
    if net.origin.kind != "module":
        raise UserError(
            f"there is no module to train in a file of operations, {net.name}",
            "give what it was exported from: FILE.py:Net, timm:NAME or a listed name",
        )
    output = net.rows[-1].output
    if output != (images.classes,):
        raise UserError(
            f"{net.name} gives {'×'.join(map(str, output))} numbers, where {images.name} has {images.classes} classes",
            f"such as '{printable(net.name, 60)}(num_classes={images.classes})'",
        )
    return net


def _check_changes(net: Network, images: Images) -> None:
    """Raises `UserError` where somebody asks for another input or other classes than the data have."""
    channels, height, width = images.shape
    own = {"in_channels": channels, "input_size": (height, width), "num_classes": images.classes}
    for key, value in own.items():
        asked = getattr(net.spec, key)
        if asked not in (value, getattr(net.base, key)):
            raise UserError(
                f"{inline(key, asked)} asked for, where {images.name} has {inline(key, value)}",
                "leave it out: a network takes what the data have",
            )


def make_folder(folder: str) -> None:
    """A folder for a training, which is new or empty.

    Raises `UserError` (exit 1) for one that has something in it, and where it can't be made.
    """
    try:
        os.makedirs(folder, exist_ok=True)
        if os.listdir(folder):
            hint = f"resnet-cli train --resume {folder}" if runs.is_training(folder) else HINT
            raise UserError(f"{printable(folder)!r} is not empty", hint, 1)
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or str(problem)
        raise UserError(
            f"cannot write {printable(folder)!r}: {reason}", "give another with -o", 1
        ) from None


def unmake_folder(folder: str) -> None:
    """Takes a folder away where no run has written anything yet."""
    try:
        if any(files for place, _, files in os.walk(folder) if place != folder):
            return
        os.unlink(os.path.join(folder, runs.RECORD))
        for name in os.listdir(folder):
            os.rmdir(os.path.join(folder, name))
        os.rmdir(folder)
    except OSError:
        return  # it stays as it is


def locked(folder: str) -> int | None:
    """Holds a folder for this process until it ends, so that no two train into it.

    Raises `UserError` (exit 1) where another does.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        return None
    held = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(held)
        raise UserError(
            f"another process trains into {printable(folder)!r}", "wait for it, or end it", 1
        ) from None
    return held
