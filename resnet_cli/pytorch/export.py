"""A built network as a file: state dict, ONNX or torch.export program; checked where it can be run again."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from resnet_cli.errors import UserError
from resnet_cli.layers.arithmetic import Shape

TOLERANCE = 1e-3
"""Most that an exported network's output may differ from torch's, relative to its largest number."""
MOST_ONNX = 2**31 - 2**20
"""Bytes: protobuf's limit for one file, less the graph."""


def safetensors(net: nn.Module, path: str) -> str:
    """The state dict; raises `ImportError` without safetensors."""
    from safetensors.torch import save_file

    save_file({name: t.contiguous() for name, t in net.state_dict().items()}, path)
    return "state dict in torchvision's names"


def pth(net: nn.Module, path: str) -> str:
    """The state dict as torch.save writes it, which torch.load(weights_only=True) reads."""
    torch.save(net.state_dict(), path)
    return "state dict in torchvision's names"


def onnx(net: nn.Module, path: str, shape: Shape) -> str:
    """One file for any batch of (channels, height, width), checked by onnx and run by onnxruntime.

    Raises `UserError` (exit 1) for a network over ONNX's 2 GiB and for outputs that differ.
    """
    size = sum(t.numel() * t.element_size() for t in net.state_dict().values())
    if size > MOST_ONNX:
        raise UserError(
            f"the network takes {size:,} bytes, over the 2 GiB that one ONNX file holds",
            "save it as .pt2 or .safetensors",
            1,
        )
    x = _inputs(shape)
    with _quiet():
        import onnx as checker
        import onnxruntime

        torch.onnx.export(
            net, (x,), path, dynamo=True, external_data=False, verbose=False,
            dynamic_shapes=({0: torch.export.Dim("batch")},),
            input_names=["input"], output_names=["output"],
        )  # fmt: skip
        checker.checker.check_model(path, full_check=True)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        outputs = [torch.from_numpy(session.run(None, {"input": b.numpy()})[0]) for b in (x, x[:1])]
    return f"checked by onnx; onnxruntime's outputs differ by at most {_same(net, x, outputs)}"


def pt2(net: nn.Module, path: str, shape: Shape) -> str:
    """A program of torch.export for any batch, loaded again and run.

    Raises `UserError` (exit 1) for outputs that differ.
    """
    x = _inputs(shape)
    with _quiet():
        program = torch.export.export(net, (x,), dynamic_shapes=({0: torch.export.Dim("batch")},))
        torch.export.save(program, path)
        again = torch.export.load(path).module()
        outputs = [again(batch) for batch in (x, x[:1])]
    return f"loaded again; outputs differ by at most {_same(net, x, outputs)}"


def _inputs(shape: Shape) -> torch.Tensor:
    """Two images: with one alone, the batch would be taken for a constant."""
    return torch.randn(2, *shape, generator=torch.Generator().manual_seed(0))


def _same(net: nn.Module, x: torch.Tensor, outputs: list[torch.Tensor]) -> str:
    """The largest difference to the network's own output, in words; raises when it is too large."""
    own = net(x)
    largest = max((y - own[: len(y)]).abs().max().item() for y in outputs)
    scale = own.abs().max().item()
    if not largest <= TOLERANCE * scale:  # also for nan
        raise UserError(
            f"the exported network's outputs differ by {largest:.3g} where they reach {scale:.3g}",
            "nothing was written; do the weights hold nan or huge numbers?",
            1,
        )
    return f"{largest:.1e} (of {scale:.1e})"


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the exporters' talk of optional packages and of their own deprecations."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
