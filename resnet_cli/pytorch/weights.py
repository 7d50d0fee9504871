"""The numbers of a weight file into a built network. Only tensors are unpickled, nothing is run."""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from resnet_cli.errors import UserError

TENSOR = Tensor
"""What counts as a tensor in `content`, for those who may not import torch."""
OLDEST = "2.6"
"""The first torch whose weights_only=True does what it says."""


def content(path: str, format: str) -> object:
    """What is in a file whose format `checkpoints.read` has found; tensors on the CPU.

    Raises `UserError` (exit 1) for what torch refuses to load as weights.
    """
    if format == "safetensors":
        return _safetensors(path)
    if format == "safetensors index":
        places = json.loads(Path(path).read_bytes())["weight_map"]
        tensors: dict[str, Tensor] = {}
        for shard in sorted(set(places.values())):
            tensors |= _safetensors(str(Path(path).with_name(shard)))
        return tensors
    if torch.torch_version.TorchVersion(torch.__version__) < OLDEST:
        raise UserError(
            f"torch {torch.__version__} may run code that it finds in a weight file (CVE-2025-32434)",
            'pip install "torch>=2.6"',
            1,
        )
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, ValueError, EOFError) as problem:
        raise UserError(
            f"torch cannot load {path!r} as weights: {str(problem).splitlines()[0][:200]}",
            "save it again with torch.save(model.state_dict(), 'weights.pth')",
            1,
        ) from None


def _safetensors(path: str) -> dict[str, Tensor]:
    from safetensors.torch import load_file

    return load_file(path)


def fill(net: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Copies tensors, by the network's names and of as many numbers, into its own; others stay."""
    state = net.state_dict()
    given = {name: tensor.reshape(state[name].shape) for name, tensor in tensors.items()}
    net.load_state_dict({**state, **given}, strict=True)
