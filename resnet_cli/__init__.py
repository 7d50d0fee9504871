"""Analyse residual networks: layers, parameters and FLOPs, beside what the papers print."""

from __future__ import annotations

TYPE_CHECKING = False
"""As in typing, which takes milliseconds to load before the program can catch a Ctrl-C."""
if TYPE_CHECKING:
    from torch import nn

    from resnet_cli.notebook import compare, diagram, flops, memory, network, summary

__version__ = "0.1.0"
__all__ = ("build", "compare", "diagram", "flops", "memory", "network", "summary")


def __getattr__(name: str) -> object:
    """The functions of `resnet_cli.notebook`, loaded when first asked for."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from resnet_cli import notebook

    return getattr(notebook, name)


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
    from resnet_cli.notebook import spec_of
    from resnet_cli.pytorch.build import build as made

    return made(spec_of(model, changes), seed=seed, device=device, zero_gamma=zero_gamma)
