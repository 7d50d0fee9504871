"""What others count on the built module: its tensors, the shapes of a run, fvcore, torch's flop counter.

Everything is for one input and keyed by torch's path, so that it can be laid beside the trace.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import nn

from resnet_cli.layers.arithmetic import Shape


class CountsByPath(NamedTuple):
    """``macs`` and ``operations`` (what is counted besides); ``left_out``: operator -> times."""

    macs: dict[str, int]
    operations: dict[str, int]
    left_out: dict[str, int]


def tensors(net: nn.Module) -> dict[str, Shape]:
    """Every tensor of the state dict, in its order."""
    return {name: tuple(tensor.shape) for name, tensor in net.state_dict().items()}


def parameters(net: nn.Module) -> dict[str, int]:
    """Learnable numbers of each module that holds some itself."""
    found: dict[str, int] = {}
    for name, tensor in net.named_parameters():
        path = name.rpartition(".")[0]
        found[path] = found.get(path, 0) + tensor.numel()
    return found


def run(net: nn.Module, shape: Shape) -> list[tuple[str, Shape]]:
    """Path and output shape, without the batch, of each leaf in the order of one forward pass.

    The pass is on the network's own device, with one input of (channels, height, width).
    """
    ran: list[tuple[str, Shape]] = []
    hooks = [
        module.register_forward_hook(
            lambda _module, _inputs, y, path=path: ran.append((path, tuple(y.shape[1:])))
        )
        for path, module in net.named_modules()
        if not any(True for _ in module.children())
    ]
    try:
        with torch.no_grad(), inference(net):
            net(torch.zeros(1, *shape, device=next(net.parameters()).device))
    finally:
        for hook in hooks:
            hook.remove()
    return ran


@contextmanager
def inference(net: nn.Module) -> Iterator[None]:
    """Eval mode for a while: in train mode a pass would alter the running statistics."""
    training = net.training
    net.eval()
    try:
        yield
    finally:
        net.train(training)


def zeroed(net: nn.Module) -> nn.Module:
    """A meta network given memory and zeros: enough to be run and counted."""
    net.to_empty(device="cpu")
    with torch.no_grad():
        for tensor in net.state_dict().values():
            tensor.zero_()
    return net


def fvcore(net: nn.Module, shape: Shape) -> CountsByPath:
    """fvcore's count on one real input of (channels, height, width); its "flop" is one MAC.

    Raises `ImportError` without fvcore.
    """
    with warnings.catch_warnings(), inference(net):
        warnings.simplefilter("ignore")  # torch.jit's deprecation, at import and at every trace
        from fvcore.nn import FlopCountAnalysis

        logging.getLogger("fvcore").setLevel(logging.ERROR)
        analysis = FlopCountAnalysis(net, torch.zeros(1, *shape))
        analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
        with torch.no_grad():
            found = analysis.by_module_and_operator()
            left_out = dict(analysis.unsupported_ops())
    leaves = {
        path for path, module in net.named_modules() if not any(True for _ in module.children())
    }
    macs, operations = {}, {}
    for path in leaves & found.keys():
        counted = {operator: int(count) for operator, count in found[path].items()}
        macs[path] = sum(counted.pop(operator, 0) for operator in ("conv", "linear"))
        operations[path] = sum(counted.values())
    return CountsByPath(
        macs, operations, {name.removeprefix("aten::"): n for name, n in left_out.items()}
    )


def flop_counter(net: nn.Module, shape: Shape) -> CountsByPath:
    """torch.utils.flop_counter's count, halved to MACs; works on the meta device.

    It counts convolutions and matrix products alone, and does not say what it leaves out.
    """
    from torch.utils.flop_counter import FlopCounterMode

    counter = FlopCounterMode(display=False)
    device = next(net.parameters()).device
    with torch.no_grad(), inference(net), counter:
        net(torch.zeros(1, *shape, device=device))
    macs: dict[str, int] = {}
    found: dict[str, dict[Any, int]] = counter.get_flop_counts()
    leaves = {
        path for path, module in net.named_modules() if not any(True for _ in module.children())
    }
    for name, counts in found.items():
        path = name.partition(".")[2]
        if path in leaves:
            macs[path] = sum(counts.values()) // 2
    return CountsByPath(macs, {}, {})
