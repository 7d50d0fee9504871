"""The gradient of the loss at the input of each block, measured on a network as it is initialised."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from resnet_cli.designs.zoo import Spec
from resnet_cli.pytorch.build import build
from resnet_cli.pytorch.modules import GatedAddition


@contextmanager
def _threads(spec: Spec) -> Iterator[None]:
    """One thread for small images: several wait for one another most of the time, all where others run."""
    usual = torch.get_num_threads()
    if max(spec.input_size) <= 64:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(usual)


def norms(
    spec: Spec, blocks: Sequence[str], seed: int, batch: int, gate_bias: float = 0.0
) -> list[float]:
    """‖∂E/∂x‖₂ over the whole batch at the input x of each block, given by path, in that order.

    One pass forward and back in train mode: E is the mean cross-entropy of random labels, inputs
    are normal. Weights, inputs and labels come from ``seed``. ``gate_bias`` is what the gates of
    gated shortcuts start from.
    """
    generator = torch.Generator().manual_seed(seed)
    net = build(spec, seed=seed).train()
    for module in net.modules():
        if isinstance(module, GatedAddition) and module.bias is not None:
            nn.init.constant_(module.bias, gate_bias)
    inputs: dict[str, Tensor] = {}
    for path in blocks:

        def keep(_: nn.Module, given: tuple[Tensor, ...], path: str = path) -> None:
            inputs[path] = given[0]

        net.get_submodule(path).register_forward_pre_hook(keep)
    x = torch.randn(batch, *spec.input_shape, generator=generator, requires_grad=True)
    labels = torch.randint(spec.num_classes, (batch,), generator=generator)
    with _threads(spec), torch.random.fork_rng(devices=[]):  # dropout has no generator of its own
        torch.manual_seed(seed)
        loss = nn.functional.cross_entropy(net(x), labels)
        gradients = torch.autograd.grad(loss, [inputs[path] for path in blocks])
    return [gradient.double().norm().item() for gradient in gradients]
