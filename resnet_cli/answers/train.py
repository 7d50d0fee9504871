"""train(): networks trained side by side, and what their errors say."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from resnet_cli import runs, signals
from resnet_cli.analyses import training as analysis
from resnet_cli.answers.needs import fits, need
from resnet_cli.answers.view import Model, View
from resnet_cli.datasets.read import read
from resnet_cli.designs import limits
from resnet_cli.errors import UserError, typed
from resnet_cli.recipes import Value, check_images, in_words, recipe
from resnet_cli.runs import Record, Training
from resnet_cli.training import prepare
from resnet_cli.training.processes import Task, Told, cores, side_by_side

if TYPE_CHECKING:
    from resnet_cli.pytorch.train.loop import Progress
    from resnet_cli.pytorch.train.team import Team

MOST_SEEDS = 1000
MOST_JOBS = 1024
NOTES = (
    "training error: of all {train:,} training images, uncropped and in eval mode, after the last iteration; "
    "test error: of {test:,} others",
    "s.e.: standard error of the mean over seeds; differences are paired by seed, of the same batches and crops",
    "published: {papers}, test error in per cent; of ResNet-110 the best of five runs",
)


def silent(task: Task, iterations: int, error: float | None) -> None:
    """Shows nothing."""


def unsaid(folder: str) -> None:
    """Says nothing."""


def train(
    *models: Model,
    data: str = "digits",
    recipe_name: str | None = None,
    seeds: str | int | Sequence[int] = 1,
    folder: str | None = None,
    resume: str | None = None,
    device: str | None = None,
    jobs: int | None = None,
    told: Told = silent,
    begun: Callable[[str], None] = unsaid,
    split: str | None = None,
    drops: str | None = None,
    **changes: Value,
) -> View:
    """Trains networks from each seed into a new ``folder``, ``jobs`` at a time, and says what came of it.

    ``resume`` is a folder to go on with, as if it had never stopped; all is as its record says but the ``device``.

    ``told`` hears how far each run is, ``begun`` the folder, once all is checked and it is there.

    ``data`` is digits, cifar10:FOLDER or cifar100:FOLDER; ``changes`` are values of the recipe
    (`resnet_cli.runs.Recipe`), as are ``drops``, typed as 150,225. Under torchrun all its processes share each batch.
    Raises `resnet_cli.UserError` for what can't be trained (exit 2), and for a folder with something in it, data
    that are damaged or a disk that is full (exit 1); what was there before stays.
    """
    if jobs is not None:
        limits.within("jobs", jobs, MOST_JOBS)
    if resume is not None:
        return _resumed(resume, device, jobs, told)
    if not models:
        raise UserError("no network named", "type names, such as plain20 resnet20")
    if not folder:
        raise UserError("no folder named", "give one that is new or empty")
    need("train", "torch", "safetensors", extra="train")
    made = recipe(recipe_name, data, split=split, drops=drops, **changes)
    numbers = numbered(seeds)

    def prepared() -> Record:
        images = read(data)
        check_images(made, split, len(images.train.labels))
        nets = [prepare.for_images(model, images) for model in models]
        for net in nets:
            fits(net.rows, train_on=made.batch // _processes())
        record = prepare.record(nets, images, data, made, numbers, device or "cpu", _processes())
        prepare.make_folder(folder)
        runs.write_record(folder, record)
        begun(folder)
        return record

    return _trained(folder, prepared, device, jobs, told)


def _resumed(folder: str, device: str | None, jobs: int | None, told: Told) -> View:
    """Raises `UserError` (exit 1) for a folder without a record, and where its data or a checkpoint are others now."""
    need("train", "torch", "safetensors", extra="train")

    def prepared() -> Record:
        record = runs.read_record(folder)
        images = read(record.data.source)
        if images.sha256 != record.data.sha256:
            raise UserError(
                f"the images of {record.data.source} are not those that {folder!r} was begun with",
                "give them back, or train in another folder",
                1,
            )
        environment = record.environment._replace(processes=_processes())
        if device is not None:
            environment = environment._replace(device=device)
        if environment != record.environment:
            record = record._replace(environment=environment)
            runs.write_record(folder, record)
        return record

    return _trained(folder, prepared, device, jobs, told)


def numbered(seeds: str | int | Sequence[int]) -> tuple[int, ...]:
    """3 as 0, 1, 2; 41,42 as these. Raises `UserError` for what is neither, and for one that comes twice."""
    if isinstance(seeds, str):
        parts = [part.strip() for part in seeds.split(",") if part.strip()]
        if not parts or not all(part.isdecimal() and len(part) < 12 for part in parts):
            raise UserError(
                f"--seeds {seeds[:40]!r} are no seeds", "type how many, 3, or which, 41,42"
            )
        seeds = [*map(int, parts)] if "," in seeds else int(parts[0])
    if isinstance(seeds, int):
        if not 1 <= seeds <= MOST_SEEDS:
            raise UserError(f"{seeds} seeds are out of range", f"allowed: 1 to {MOST_SEEDS:,}")
        seeds = range(seeds)
    if len(set(seeds)) < len(seeds) or not seeds or len(seeds) > MOST_SEEDS:
        raise UserError("a seed is given twice, or none", "give each once, such as 41,42")
    if not all(0 <= seed <= runs.MOST_SEED for seed in seeds):
        raise UserError("a seed is out of range", f"allowed: 0 to {runs.MOST_SEED:,}")
    return tuple(seeds)


def _processes() -> int:
    """How many share each batch: those that torchrun has started."""
    size = os.environ.get("WORLD_SIZE", "1")
    return int(size) if size.isdecimal() else 1


def _trained(
    folder: str, prepared: Callable[[], Record], device: str | None, jobs: int | None, told: Told
) -> View:
    """What a folder says once all of its runs are at their end."""
    if _processes() > 1:
        return answer(_together(folder, prepared, device, told))
    record: Record = prepared()
    held = prepare.locked(folder)
    signals.hints[:] = [typed("train", "--resume", folder)]
    try:
        _side_by_side(folder, record, jobs, told)
    except UserError:
        prepare.unmake_folder(folder)
        raise
    finally:
        signals.hints.clear()
        if held is not None:
            os.close(held)
    return answer(runs.read(folder))


def _side_by_side(folder: str, record: Record, jobs: int | None, told: Told) -> None:
    left = [
        Task(at, network.name, seed, record.recipe.iterations)
        for at, network in enumerate(record.networks)
        for seed in record.seeds
        if not _is_done(folder, network.name, seed)
    ]
    left.sort(key=lambda task: -record.networks[task.at].parameters)  # none begins long, last
    most = cores() // record.recipe.threads if record.environment.device == "cpu" else 1
    side_by_side(folder, record, left, jobs or max(most, 1), told)


def _is_done(folder: str, network: str, seed: int) -> bool:
    place = runs.place(folder, network, seed)
    curve = runs.read_curve(place)
    ended = bool(curve) and curve[-1].train_error is not None
    return ended and os.path.exists(os.path.join(place, runs.WEIGHTS))


def _together(
    folder: str, prepared: Callable[[], Record], device: str | None, told: Told
) -> Training:
    """The runs one after another, each batch shared by all processes; only the first writes."""
    from resnet_cli.pytorch.train import loop
    from resnet_cli.pytorch.train.team import joined, left

    team: Team = joined(device or "cpu")
    try:
        record = team.agreed(prepared)
        images = read(record.data.source)
        for at, network in enumerate(record.networks):
            for seed in record.seeds:
                task = Task(at, network.name, seed, record.recipe.iterations)
                said = partial(_said, told, task)
                loop.run(folder, record, network, seed, images, team, said)
    finally:
        left()
    return Training(folder, record, ()) if team.rank else runs.read(folder)


def _said(told: Told, task: Task, progress: Progress) -> None:
    told(task, progress.iteration, progress.error)


def answer(training: Training) -> View:
    """A folder's errors and differences."""
    record = training.record
    compared = analysis.differences(training)
    errors = analysis.errors(training)
    errors = errors._replace(title=f"{record.data.name}, {in_words(record.recipe)}")
    tables = [errors, *([analysis.compared(compared)] if compared else [])]
    papers = "He et al. 2015, Table 6" if analysis.published(training) else ""
    notes = [
        note.format(train=record.data.train, test=record.data.test, papers=papers)
        for note in NOTES
        if papers or "{papers}" not in note
    ]
    titles = [each.title for each in record.networks if each.title != each.name]
    envelope = {
        "command": "train",
        "folder": training.folder,
        "recipe": {key: _listed(value) for key, value in record.recipe._asdict().items()},
        "data": record.data._asdict(),
        "seeds": [*record.seeds],
        "rows": analysis.rows(training),
        "networks": [
            dict(zip((c.key for c in errors.columns), row, strict=True)) for row in errors.rows
        ],
        "differences": [
            {
                "deep": each.deep.name, "shallow": each.shallow.name, "seeds": each.seeds,
                "train_difference": each.train.mean, "train_se": each.train.error,
                "test_difference": each.test.mean, "test_se": each.test.error, "verdict": each.verdict,
            }
            for each in compared
        ],
    }  # fmt: skip
    return View(envelope, tables, [*analysis.verdicts(compared), *notes, *titles])


def _listed(value: Any) -> Any:
    return [*value] if isinstance(value, tuple) else value
