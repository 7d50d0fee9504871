"""One run: a network trained from one seed, from where its checkpoint is to the end."""

from __future__ import annotations

import io
import os
import pickle
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from hashlib import sha256
from time import monotonic
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.sgd import sgd

from resnet_cli import files, runs
from resnet_cli.datasets.images import Images
from resnet_cli.designs import specfile
from resnet_cli.errors import UserError, printable
from resnet_cli.inputs import Typed
from resnet_cli.pytorch import export
from resnet_cli.pytorch.instance import Source, instance
from resnet_cli.pytorch.train.batches import AT_ONCE, Batches, Labelled, Scale, key, labelled, scale
from resnet_cli.pytorch.train.team import Team
from resnet_cli.runs import Point, Record, Trained

OFTEN = 0.2
"""Seconds between what is told of the progress."""
DAMAGED = "take it away, and the run begins anew; or train in another folder"


class Progress(NamedTuple):
    """How far a run is: iterations done, and the error of the batch before, in per cent."""

    iteration: int
    error: float


Told = Callable[[Progress], None]


def run(
    folder: str, record: Record, network: Trained, seed: int, images: Images, team: Team, told: Told
) -> None:
    """Trains one network from one seed to its last iteration, and writes its curve, checkpoints and weights.

    Goes on from the checkpoint if there is one, with the same numbers as if it had never stopped. Raises
    `UserError` (exit 1) for a checkpoint that is damaged or of another recipe, and where the disk is full.
    """
    place = runs.place(folder, network.name, seed)
    if team.rank == 0:
        _prepare(place)
    with ExitStack() as stack:
        net = stack.enter_context(_built(record, network, seed))
        Runner(place, record, network, seed, images, team, net).run(told)


def _prepare(place: str) -> None:
    """The folder of a run, without what a killed process left half-written."""
    try:
        os.makedirs(place, exist_ok=True)
        for name in os.listdir(place):
            if name.startswith(files.UNFINISHED):
                os.unlink(os.path.join(place, name))
    except OSError as problem:
        what = f"cannot write {printable(place)!r}: {problem.strerror}"
        raise UserError(what, "give a folder you may write to", 1) from None


def _built(record: Record, network: Trained, seed: int) -> Any:
    """The module with its initial weights, as long as its own code may run."""
    data = record.data
    if network.spec is None:
        shape = (1, data.channels, data.height, data.width)
        source = Source(network.model, inputs=(Typed(None, shape),))
    else:
        source = Source(network.model, specfile.of_fields(network.spec))
    return instance(source, "cpu", seed)


class Runner:
    """A run under way: the network, the momentum of its parameters, and what is counted since the last line."""

    def __init__(
        self,
        place: str,
        record: Record,
        network: Trained,
        seed: int,
        images: Images,
        team: Team,
        called: Any,
    ) -> None:
        self.place, self.record, self.network, self.team = place, record, network, team
        recipe = self.recipe = record.recipe
        self.seed = seed
        self.dtype = getattr(torch, recipe.dtype)
        self.layout = torch.channels_last if recipe.channels_last else torch.contiguous_format
        net: nn.Module = called.module
        self.net = net.to(team.device, self.dtype, memory_format=self.layout)  # type: ignore[call-overload]
        train = labelled(images.train, images.shape, team.device)
        kept = len(train) - recipe.held_out
        self.train, self.held_out = train.part(0, kept), train.part(kept, len(train))
        self.test = labelled(images.test, images.shape, team.device)
        self.scale: Scale = scale(self.train.images, self.dtype)
        self.batches = Batches(self.train, self.scale, recipe, seed, (team.rank, team.size))
        self.parameters = [p for p in self.net.parameters() if p.requires_grad]
        self.momentum: list[Tensor | None] = [None] * len(self.parameters)
        self.loss = torch.zeros((), dtype=torch.float64, device=team.device)
        self.wrong = torch.zeros((), dtype=torch.int64, device=team.device)

    def run(self, told: Told) -> None:
        """From where the checkpoint is to the end."""
        done = self._resumed()
        recipe = self.recipe
        if done == recipe.iterations:
            return
        self.net.train()
        whole = self.team.wrapped(self.net)
        last, since = monotonic(), 0
        for iteration in range(done, recipe.iterations):
            error = self._step(whole, iteration)
            since += 1
            if monotonic() - last > OFTEN:
                told(Progress(iteration + 1, 100 * error.item() / len(self.batches.number)))
                last = monotonic()
            if (iteration + 1) % recipe.every == 0 or iteration + 1 == recipe.iterations:
                self._line(iteration + 1, since)
                since = 0
        told(Progress(recipe.iterations, 0.0))

    def _step(self, net: nn.Module, iteration: int) -> Tensor:
        """One iteration; how many of our images were wrong."""
        self._chance(iteration)
        images, labels = self.batches.at(iteration)
        images = images.contiguous(memory_format=self.layout)
        with torch.autocast(self.team.device.type, torch.bfloat16, enabled=self.recipe.amp):
            output = net(images)
            loss = functional.cross_entropy(output, labels)
        loss.backward()  # type: ignore[no-untyped-call]
        self._descend(self.recipe.rate(self.network.layers, iteration))
        with torch.no_grad():
            wrong: Tensor = (output.argmax(1) != labels).sum()
            self.loss += loss.detach()
            self.wrong += wrong
        return wrong

    def _chance(self, iteration: int) -> None:
        """Dropout and its like are decided by seed and iteration, too."""
        number = key(self.seed, "chance", iteration, self.team.rank)
        torch.default_generator.manual_seed(number)
        if self.team.device.type == "cuda":
            torch.cuda.manual_seed(number)

    @torch.no_grad()
    def _descend(self, lr: float) -> None:
        """A step of SGD by torch's own function: its class loads a compiler, which takes as long as torch."""
        reached = [at for at, p in enumerate(self.parameters) if p.grad is not None]
        parameters = [self.parameters[at] for at in reached]
        momentum = [self.momentum[at] for at in reached]
        sgd(
            parameters, [p.grad for p in parameters], momentum, foreach=True,
            weight_decay=self.recipe.weight_decay, momentum=self.recipe.momentum, lr=lr, dampening=0,
            nesterov=False, maximize=False,
        )  # fmt: skip
        for at, value in zip(reached, momentum, strict=True):
            self.momentum[at] = value
        for parameter in parameters:
            parameter.grad = None

    def _line(self, iteration: int, since: int) -> None:
        """A line of the curve and a checkpoint; after the last iteration the weights too."""
        ends = iteration == self.recipe.iterations
        loss = self.team.sum(self.loss).item() / since / self.team.size
        batch_error = 100 * self.team.sum(self.wrong).item() / since / self.recipe.batch
        self.loss.zero_()
        self.wrong.zero_()
        point = Point(
            iteration,
            iteration / self.batches.per_epoch,
            self.recipe.rate(self.network.layers, iteration - 1),
            loss,
            batch_error,
            self._error(self.train) if ends else None,
            self._error(self.held_out) if len(self.held_out) else None,
            self._error(self.test),
        )
        if self.team.rank:
            return
        runs.append(self.place, point)
        if ends:
            with files.whole(os.path.join(self.place, runs.WEIGHTS)) as path:
                _write(path, export.safetensors_bytes(self.net))
        with files.whole(self._checkpoint) as path:
            _write(path, self._state(iteration))

    def _error(self, data: Labelled) -> float:
        """Per cent of images that are wrong, uncropped and in eval mode."""
        self.net.eval()
        wrong = torch.zeros((), dtype=torch.int64, device=self.team.device)
        starts = range(0, len(data), AT_ONCE)[self.team.rank :: self.team.size]
        with torch.no_grad():
            for start in starts:
                images, labels = data.part(start, start + AT_ONCE)
                scaled = self.scale.of(images).contiguous(memory_format=self.layout)
                with torch.autocast(self.team.device.type, torch.bfloat16, enabled=self.recipe.amp):
                    wrong += (self.net(scaled).argmax(1) != labels).sum()
        self.net.train()
        return 100 * self.team.sum(wrong).item() / len(data)

    # what a run goes on from

    @property
    def _checkpoint(self) -> str:
        return os.path.join(self.place, runs.CHECKPOINT)

    @property
    def _digest(self) -> str:
        """Of all that decides this run."""
        return digest(self.record, self.network, self.seed)

    def _state(self, iteration: int) -> bytes:
        state = {
            "iteration": iteration,
            "decided_by": self._digest,
            "model": self.net.state_dict(),
            "momentum": self.momentum,
        }
        buffer = io.BytesIO()
        torch.save(state, buffer)
        return buffer.getvalue()

    def _resumed(self) -> int:
        """Loads the checkpoint and cuts the curve back to it; the number of iterations that are done."""
        state = self.team.agreed(self._loaded)
        if state is None:
            if self.team.rank == 0 and runs.read_curve(self.place):
                runs.write_curve(self.place, ())
            return 0
        try:
            self.net.load_state_dict(state["model"])
            momentum: Sequence[Tensor | None] = state["momentum"]
            for at, (parameter, value) in enumerate(zip(self.parameters, momentum, strict=True)):
                own = None if value is None else torch.empty_like(parameter).copy_(value)
                self.momentum[at] = own
        except (KeyError, RuntimeError, TypeError, ValueError) as problem:
            raise self._damaged(problem) from None
        if self.team.rank == 0:
            points = runs.read_curve(self.place)
            kept = [point for point in points if point.iteration <= state["iteration"]]
            runs.write_curve(self.place, kept)
        done: int = state["iteration"]
        return done

    def _loaded(self) -> dict[str, Any] | None:
        """What is in the checkpoint; None where there is none."""
        if not os.path.exists(self._checkpoint):
            return None
        try:
            state = torch.load(self._checkpoint, map_location="cpu", weights_only=True)
            iteration, decided_by = state["iteration"], state["decided_by"]
        except OSError as problem:
            raise self._damaged(problem) from None
        except (
            pickle.UnpicklingError,
            RuntimeError,
            ValueError,
            EOFError,
            KeyError,
            TypeError,
        ) as problem:
            raise self._damaged(problem) from None
        if decided_by != self._digest:
            raise UserError(
                f"{printable(self._checkpoint)!r} is of another recipe than {runs.RECORD} has",
                DAMAGED,
                1,
            )
        if type(iteration) is not int or not 0 < iteration <= self.recipe.iterations:
            raise self._damaged(ValueError("its iteration is none of the recipe's"))
        return {**state}

    def _damaged(self, problem: Exception) -> UserError:
        reason = printable((str(problem).splitlines() or [type(problem).__name__])[0], 120)
        return UserError(f"{printable(self._checkpoint)!r} is no checkpoint: {reason}", DAMAGED, 1)


def digest(record: Record, network: Trained, seed: int) -> str:
    """Of all that decides a run: recipe, data, network and seed."""
    data = record.data._replace(source="")  # the same images may lie elsewhere
    return sha256(repr((record.recipe, data, network, seed)).encode()).hexdigest()


def _write(path: str, content: bytes) -> None:
    with open(path, "wb") as file:
        file.write(content)
