"""The folder of a training: what is in it, read and written without torch.

    FOLDER/record.json                  all that decides its runs
    FOLDER/NETWORK-sSEED/curve.jsonl    a line every so many iterations
    FOLDER/NETWORK-sSEED/checkpoint     what the run goes on from
    FOLDER/NETWORK-sSEED/weights.safetensors    after its last iteration

What stands in a folder may be anybody's: it is bounded and checked before it is used.
"""

from __future__ import annotations

import json
import os
import types
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from math import isfinite
from typing import Any, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

from resnet_cli import files
from resnet_cli.errors import UserError, printable

SCHEMA = 1
RECORD, CURVE, CHECKPOINT, WEIGHTS = (
    "record.json",
    "curve.jsonl",
    "checkpoint",
    "weights.safetensors",
)
MOST_RECORD = 4 << 20
MOST_CURVE = 256 << 20
MOST_SEED = 2**31 - 1
HINT = "give the folder that resnet-cli train -o FOLDER wrote"


class Recipe(NamedTuple):
    """How networks are trained. All numbers of time are iterations, of which each takes one ``batch``.

    The rate is ``lr``, times ``factor`` from each of the ``drops`` on; in networks of at least
    ``warmup_from`` weighted layers it is times ``factor`` in the first ``warmup`` too. Images are padded by
    ``padding`` pixels and cropped at random, and mirrored half of the time with ``flip``. ``held_out`` is how
    many of the training images are kept for validation, the last ones. A line of the curve
    and a checkpoint come every ``every`` iterations. ``threads`` is of each run on a CPU.
    """

    name: str
    iterations: int
    batch: int
    lr: float
    drops: tuple[int, ...]
    factor: float
    momentum: float
    weight_decay: float
    warmup: int
    warmup_from: int
    padding: int
    flip: bool
    held_out: int
    every: int
    dtype: str = "float32"
    amp: bool = False
    channels_last: bool = False
    threads: int = 1

    def rate(self, layers: int | None, iteration: int) -> float:
        """The rate of an iteration, counted from 0, in a network of so many weighted layers."""
        dropped = sum(iteration >= drop for drop in self.drops)
        warming = iteration < self.warmup and (layers or 0) >= self.warmup_from
        return self.lr * self.factor ** (dropped + warming)


class Data(NamedTuple):
    """What they are trained on: ``source`` as typed (``digits``, ``cifar10:FOLDER``), shape and numbers of images.

    ``train`` counts the images that are trained on, without those held out; ``sha256`` is of all
    images and labels.
    """

    source: str
    name: str
    channels: int
    height: int
    width: int
    classes: int
    train: int
    test: int
    sha256: str


class Trained(NamedTuple):
    """A network of the training: ``name`` tells it from the others, ``model`` may be typed again as MODEL.

    ``spec`` has the fields of its description, None where it has none; ``layers`` counts those with
    weights, as a network's depth does.
    """

    name: str
    model: str
    title: str
    family: str
    layers: int | None
    parameters: int
    spec: dict[str, Any] | None


class Environment(NamedTuple):
    """What it was begun with: versions, machine, device and how many processes share a batch."""

    program: str
    python: str
    torch: str
    platform: str
    device: str
    processes: int


class Record(NamedTuple):
    """All that decides the runs of a folder."""

    schema: int
    recipe: Recipe
    data: Data
    networks: tuple[Trained, ...]
    seeds: tuple[int, ...]
    environment: Environment


class Point(NamedTuple):
    """A line of a curve, after ``iteration`` iterations. Errors are per cents of images.

    ``loss`` and ``batch_error`` are means over the batches since the line before, as they were trained on,
    and a loss that is no number is None; ``train_error`` is of all training images, uncropped and in eval mode, and in the last line alone, which
    ``validation_error`` is in every one where images are held out.
    """

    iteration: int
    epoch: float
    rate: float
    loss: float | None
    batch_error: float
    train_error: float | None
    validation_error: float | None
    test_error: float


class Run(NamedTuple):
    """One network trained from one seed, and its curve as far as it is."""

    network: Trained
    seed: int
    folder: str
    curve: tuple[Point, ...]

    @property
    def last(self) -> Point | None:
        """The line after the last iteration; None where it is not that far."""
        return self.curve[-1] if self.curve and self.curve[-1].train_error is not None else None

    @property
    def weights(self) -> str:
        """Where its weights are."""
        return os.path.join(self.folder, WEIGHTS)


class Training(NamedTuple):
    """A folder: its record, and its runs by network and then by seed."""

    folder: str
    record: Record
    runs: tuple[Run, ...]


def is_training(path: str) -> bool:
    """Whether a path is the folder of a training."""
    return os.path.isfile(os.path.join(path, RECORD))


def read(folder: str) -> Training:
    """What is in a folder. Raises `UserError` (exit 1) where that is no training, or damaged."""
    record = read_record(folder)
    runs = tuple(
        Run(network, seed, path, read_curve(path))
        for network in record.networks
        for seed in record.seeds
        for path in [place(folder, network.name, seed)]
    )
    return Training(folder, record, runs)


def place(folder: str, network: str, seed: int) -> str:
    """The folder of one run: what a name may have in it that a file's may not, is a _."""
    name = "".join(sign if sign.isalnum() or sign in "+-_.," else "_" for sign in network)
    return os.path.join(folder, f"{name.lstrip('.')}-s{seed}")


def read_record(folder: str) -> Record:
    """The record of a folder. Raises `UserError` (exit 1) where there is none, or a damaged one."""
    path = os.path.join(folder, RECORD)
    if not os.path.exists(path):
        what = "is no folder" if not os.path.isdir(folder) else f"has no {RECORD}"
        raise UserError(f"{printable(folder)!r} {what}", HINT, 1)
    try:
        record = _checked(Record, json.loads(files.content(path, MOST_RECORD, HINT)))
        if record.schema != SCHEMA:
            raise ValueError(f"of schema {record.schema}, where {SCHEMA} is read")
        return record
    except UserError as problem:
        raise UserError(f"{printable(path)!r} {problem.what}", HINT, 1) from None
    except (ValueError, TypeError, RecursionError) as problem:
        raise UserError(
            f"{printable(path)!r} is no record of a training: {printable(str(problem))}", HINT, 1
        ) from None


def write_record(folder: str, record: Record) -> None:
    """Writes the record, whole or not at all. Raises `UserError` (exit 1) where it can't be written."""
    text = json.dumps(_plain(record), indent=1, ensure_ascii=False)
    with (
        files.whole(os.path.join(folder, RECORD)) as path,
        open(path, "w", encoding="utf-8") as file,
    ):
        file.write(text + "\n")


def read_curve(folder: str) -> tuple[Point, ...]:
    """The curve of a run, nothing where it has none yet; a last line that was cut off does not count.

    Raises `UserError` (exit 1) for a damaged one.
    """
    path = os.path.join(folder, CURVE)
    if not os.path.exists(path):
        return ()
    try:
        content = files.content(path, MOST_CURVE, HINT)
    except UserError as problem:
        raise UserError(f"{printable(path)!r} {problem.what}", problem.hint, 1) from None
    lines = content.split(b"\n")[:-1]
    points = []
    for number, line in enumerate(lines, start=1):
        try:
            points.append(_checked(Point, json.loads(line)))
        except (ValueError, TypeError, RecursionError):
            what = f"{printable(path)!r}: line {number} is no point of a curve"
            raise UserError(what, "take the line away, or train again", 1) from None
    return tuple(points)


def append(folder: str, point: Point) -> None:
    """Adds a line to the curve of a run. Raises `UserError` (exit 1) where that can't be done."""
    files.append(os.path.join(folder, CURVE), _line(point))


def write_curve(folder: str, points: Iterable[Point]) -> None:
    """Writes a curve anew, whole or not at all. Raises `UserError` (exit 1) where that can't be done."""
    with (
        files.whole(os.path.join(folder, CURVE)) as path,
        open(path, "w", encoding="utf-8") as file,
    ):
        file.writelines(map(_line, points))


def _line(point: Point) -> str:
    return json.dumps(_plain(point)) + "\n"


def _plain(value: Any) -> Any:
    """A record as JSON has it; nan and infinities, which JSON has not, are null."""
    if isinstance(value, float) and not isfinite(value):
        return None
    if hasattr(value, "_asdict"):
        return {key: _plain(each) for key, each in value._asdict().items()}
    if isinstance(value, tuple | list):
        return [*map(_plain, value)]
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return value


Kind = TypeVar("Kind", bound=tuple[Any, ...])
_hints = cache(get_type_hints)


def _checked(kind: type[Kind], value: Any) -> Kind:
    """A JSON object as a record of this kind, with each field of its own type.

    Raises `ValueError` for one that is missing, unknown or of another type.
    """
    if not isinstance(value, dict):
        raise ValueError("not an object")
    hints = _hints(kind)
    if unknown := sorted(value.keys() - hints.keys()):
        raise ValueError(f"unknown key {printable(unknown[0], 80)!r}")
    if missing := [key for key in hints if key not in value]:
        raise ValueError(f"no {missing[0]}")
    return kind(**{key: _fits(hint, value[key], key) for key, hint in hints.items()})


def _fits(hint: Any, value: Any, key: str) -> Any:
    """The value in the type of a field. Raises `ValueError` where it is of another."""
    if get_origin(hint) in (Union, types.UnionType):
        if value is None:
            return None
        hint = get_args(hint)[0]
    if get_origin(hint) is tuple and isinstance(value, list):
        return tuple(_fits(get_args(hint)[0], each, key) for each in value)
    if get_origin(hint) is dict and isinstance(value, dict):
        return value
    if isinstance(hint, type) and hasattr(hint, "_fields"):
        return _checked(hint, value)
    if hint is float and type(value) is int:
        with suppress(OverflowError):
            return float(value)
    if type(value) is not hint:
        raise ValueError(f"{key} is of another type")
    return value
