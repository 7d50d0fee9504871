"""build(): a real torch module."""

from __future__ import annotations

from typing import TYPE_CHECKING

from resnet_cli.answers.needs import described, need
from resnet_cli.answers.network import network
from resnet_cli.answers.view import Model

if TYPE_CHECKING:
    from torch import nn


def build(
    model: Model, *, seed: int | None = None, device: str = "cpu", zero_gamma: bool = False,
    **changes: object,
) -> nn.Module:  # fmt: skip
    """The network as a `torch.nn.Module` with torchvision's names, initialised and in train mode.

    ``changes`` are fields of its spec: ``build("resnet50", num_classes=10)``. Inputs are (batch,
    channels, height, width). ``seed`` None takes torch's global generator; ``zero_gamma`` starts the
    last norm of each block at 0. Raises `resnet_cli.UserError` for a network that does not exist, and
    without torch.
    """
    need("build", "torch")
    from resnet_cli.pytorch.build import build as made

    spec = described(network(model, **changes))
    return made(spec, seed=seed, device=device, zero_gamma=zero_gamma)
