"""The gradient of a loss at the input of each block, measured on a network as it is initialised."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge, get_gradient_edge

from resnet_cli.errors import UserError
from resnet_cli.pytorch.instance import Instance, Source, instance
from resnet_cli.pytorch.modules import GatedAddition
from resnet_cli.pytorch.record import tensors_in
from resnet_cli.pytorch.running import kept_buffers


class Norms(NamedTuple):
    """‖∂E/∂x‖₂ over the whole batch by the path of the module that x is the input of, as far as there is one.

    ``classifies`` is whether E is a cross-entropy; else it is a product with random numbers.
    """

    by_path: dict[str, float]
    classifies: bool


@contextmanager
def threads(inputs: Sequence[Tensor]) -> Iterator[None]:
    """One thread for small images: several wait for one another most of the time, all where others run."""
    usual = torch.get_num_threads()
    if all(max(each.shape[1:], default=0) <= 64 for each in inputs):
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(usual)


def norms(
    source: Source, paths: Sequence[str], seed: int, batch: int, gate_bias: float = 0.0
) -> Norms:
    """The norms at the input x of each of these modules, of ``batch`` inputs.

    One pass forward and back in train mode: E is the mean cross-entropy of random labels where the output is
    (batch, classes), else the mean of its product with normal numbers; inputs are normal, whole numbers zeros. Weights,
    inputs and labels come from ``seed``. ``gate_bias`` is what the gates of gated shortcuts start from.
    """
    generator = torch.Generator().manual_seed(seed)
    with instance(source, "cpu", seed) as called, kept_buffers(called.module):
        net = called.module.train()
        set_gates(net, gate_bias)
        edges: dict[str, GradientEdge] = {}
        handles = [_watched(net.get_submodule(path), path, edges) for path in paths]
        args, kwargs, inputs = _drawn(called, batch, generator)
        try:
            with threads(inputs), torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed)  # dropout has no generator of its own
                loss, classifies = _loss(Instance(net, args, kwargs).run(), batch, generator)
                gradients = torch.autograd.grad(loss, [*edges.values()], allow_unused=True)
        finally:
            for handle in handles:
                handle.remove()
    by_path = {
        path: gradient.double().norm().item()
        for path, gradient in zip(edges, gradients, strict=True)
        if gradient is not None
    }
    return Norms(by_path, classifies)


def set_gates(net: nn.Module, bias: float) -> None:
    """Gated shortcuts start from this bias."""
    for module in net.modules():
        if isinstance(module, GatedAddition) and module.bias is not None:
            nn.init.constant_(module.bias, bias)


def _watched(module: nn.Module, path: str, edges: dict[str, GradientEdge]) -> Any:
    """Keeps where the gradient of a module's first input comes by, before anything writes into it."""

    def keep(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        for value in (*args, *kwargs.values()):
            if isinstance(value, Tensor) and value.requires_grad and path not in edges:
                edges[path] = get_gradient_edge(value)

    return module.register_forward_pre_hook(keep, with_kwargs=True)


def _drawn(
    called: Instance, batch: int, generator: torch.Generator
) -> tuple[Any, Any, list[Tensor]]:
    """The arguments with normal numbers, ``batch`` inputs where all lead with one number; and their tensors."""
    tensors = [*tensors_in((called.args, called.kwargs))]
    leads = {tensor.shape[0] if tensor.dim() else 0 for tensor in tensors}
    drawn: list[Tensor] = []

    def draw(value: Any) -> Any:
        if isinstance(value, Tensor):
            shape = (batch, *value.shape[1:]) if len(leads) == 1 and value.dim() else value.shape
            if not value.is_floating_point():
                return value.new_zeros(shape)
            normal = torch.randn(shape, generator=generator).to(value)
            drawn.append(normal.requires_grad_())
            return drawn[-1].clone()  # a layer may write into it
        if isinstance(value, Mapping):
            return {key: draw(part) for key, part in value.items()}
        return type(value)(map(draw, value)) if type(value) in (list, tuple) else value

    return draw(called.args), draw(called.kwargs), drawn


def _loss(output: object, batch: int, generator: torch.Generator) -> tuple[Tensor, bool]:
    """E, and whether it is a cross-entropy. Raises as `differentiable`."""
    y = differentiable(output)
    if y.dim() == 2 and y.shape[0] == batch and y.shape[1] > 1:
        labels = torch.randint(y.shape[1], (batch,), generator=generator)
        return nn.functional.cross_entropy(y, labels.to(y.device)), True
    normal = torch.randn(y.shape, generator=generator).to(y)
    return (y * normal).sum() / batch, False


def differentiable(output: object) -> Tensor:
    """The first tensor of an output that a gradient is taken of. Raises `UserError` (exit 1) where there is none."""
    y = next((each for each in tensors_in(output) if each.requires_grad), None)
    if y is None:
        raise UserError("no gradient is taken of what it puts out", "give a network that learns", 1)
    return y
