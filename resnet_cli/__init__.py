"""Analyse residual networks: layers, parameters and FLOPs, beside what the papers print."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

__version__ = "0.1.0"


def build(
    model: str | int, *, seed: int | None = None, device: str = "cpu", zero_gamma: bool = False,
    **changes: object,
) -> nn.Module:  # fmt: skip
    """The network as a `torch.nn.Module` with torchvision's names, initialised and in train mode.

    ``model`` is a name, a depth or a TOML file; ``changes`` are fields of its spec:
    ``build("resnet50", num_classes=10)``. Inputs are (batch, channels, height, width). ``seed`` None
    takes torch's global generator; ``zero_gamma`` starts the last batch norm of each block at 0.
    Raises `resnet_cli.errors.UserError` for a network that does not exist, `ImportError` without torch.
    """
    from resnet_cli import models
    from resnet_cli.architecture import zoo
    from resnet_cli.pytorch.build import build as made

    spec = zoo.by_depth(model) if isinstance(model, int) else models.load(model)
    size = changes.get("input_size")
    if isinstance(size, int):
        changes["input_size"] = (size, size)
    return made(zoo.changed(spec, **changes), seed=seed, device=device, zero_gamma=zero_gamma)
