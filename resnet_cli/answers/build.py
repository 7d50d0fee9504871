"""build(): a real torch module."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from resnet_cli import models, networks
from resnet_cli.answers.needs import described, need
from resnet_cli.answers.network import network
from resnet_cli.answers.view import Model
from resnet_cli.checkpoints.identify.recognise import Recognised
from resnet_cli.designs import zoo
from resnet_cli.errors import UserError, printable, typed

if TYPE_CHECKING:
    from torch import nn


def build(
    model: Model, *, seed: int | None = None, device: str = "cpu", zero_gamma: bool = False,
    as_: Model | None = None, **changes: object,
) -> nn.Module:  # fmt: skip
    """The network as a `torch.nn.Module` with torchvision's names, initialised and in train mode.

    ``changes`` are fields of its spec: ``build("resnet50", num_classes=10)``. Inputs are (batch,
    channels, height, width). ``seed`` None takes torch's global generator; ``zero_gamma`` starts the
    last norm of each block at 0. A weight file is built with its own numbers; where several networks have its
    tensors ``as_`` says which of them it is. Raises `resnet_cli.UserError` for a network that does not exist, where nothing
    says which one a file is, and without torch.
    """
    need("build", "torch")
    from resnet_cli.pytorch.build import build as made

    called: networks.Network = network(model, **changes)
    weights = called.origin.source if called.origin.kind == "weights" else None
    if as_ is not None or weights is not None:
        called = read_as(called, as_)
    spec = described(called)
    loaded = fitting(weights, spec, False) if weights is not None else None
    net = made(spec, seed=seed, device=device, zero_gamma=zero_gamma)
    if loaded is not None:
        load_numbers(net, loaded)
    return net


class Fitting(NamedTuple):
    """A weight file whose tensors fill a network: how it is stored, and its name for each of ours."""

    path: str
    format: str
    names: dict[str, str]
    read: Recognised


def read_as(called: networks.Network, as_: Model | None) -> networks.Network:
    """The network of a weight file for the one that it is said to be, with what was changed of it.

    Raises `UserError` where MODEL is no weight file, and (exit 1) where nothing says which network it is.
    """
    if called.origin.kind != "weights":
        raise UserError(
            f"--as says what a weight file is, and {called.name} is none",
            "leave it out: a network that is named says itself which one it is",
        )
    file = called.origin.source or ""
    if as_ is None:
        if called.open:
            shown = printable(file, 80)
            raise UserError(
                f"nothing in {shown!r} says which of these networks it is: {', '.join(called.open)}"
                if called.open[1:]
                else f"nothing in {shown!r} says that it is {called.open[0]}, as pools and activations leave no tensor",
                f"say which: {typed('build', file, '--as', called.open[0])}",
                1,
            )
        return called
    spec, base = described(models.load(as_)), described(called)
    ends = {"num_classes": base.num_classes, "in_channels": base.in_channels}
    changed = {
        key: getattr(base, key)
        for key in base.__dataclass_fields__
        if called.base and getattr(base, key) != getattr(called.base, key)
    }
    made = networks.of_spec(zoo.changed(spec, **{**ends, **changed}), called.origin)
    return made._replace(batch=called.batch)


def fitting(path: str, spec: zoo.Spec, backbone_only: bool) -> Fitting:
    """Which tensor of a weight file goes where in a network; read before the work.

    Raises `UserError` (exit 1) that says which does not fit.
    """
    from resnet_cli.checkpoints.identify import fitting as fit
    from resnet_cli.checkpoints.identify.recognise import of_file

    file = of_file(path)
    if file.checkpoint.format.startswith("safetensors"):
        need("build --weights", "safetensors")
    names = fit.fitting(path, file.named, spec, backbone_only)
    return Fitting(path, file.checkpoint.format, names, file.recognised())


def load_numbers(net: nn.Module, file: Fitting) -> None:
    """A file's numbers into the network that it fits."""
    from resnet_cli.checkpoints.identify.naming import find_state_dict
    from resnet_cli.pytorch import weights

    _, tensors = find_state_dict(weights.content(file.path, file.format), weights.TENSOR)
    weights.fill(net, {ours: tensors[theirs] for ours, theirs in file.names.items()})
