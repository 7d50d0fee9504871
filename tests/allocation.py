"""What torch itself keeps in memory, measured: saved tensors, peaks, optimiser state.

Bytes are of distinct storages, however many tensors look at one, each as large as was asked for: what
an allocator rounds up to and a kernel's own workspace are not seen. Runs on the module's device.
"""

from __future__ import annotations

import re
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.checkpoint import checkpoint

OPTIMIZERS: dict[str, Callable[[Any], torch.optim.Optimizer]] = {
    "sgd": lambda weights: torch.optim.SGD(weights, lr=0.1),
    "momentum": lambda weights: torch.optim.SGD(weights, lr=0.1, momentum=0.9),
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
}


def set_inplace(net: nn.Module, inplace: bool) -> nn.Module:
    """The same network with every ReLU in place, or none."""
    for module in net.modules():
        if isinstance(module, nn.ReLU):
            module.inplace = inplace
    return net


def saved(net: nn.Module, x: Tensor) -> int:
    """Bytes that autograd saves in a forward pass, without the module's parameters and buffers.

    The input is among them. The module's mode is kept; in train mode its running statistics move.
    """
    own = {_storage(tensor) for tensor in (*net.parameters(), *net.buffers())}
    storages: dict[int, int] = {}
    alive: list[Tensor] = []  # no storage is given the place of an earlier one

    def pack(tensor: Tensor) -> Tensor:
        if _storage(tensor) not in own:
            storages[_storage(tensor)] = tensor.untyped_storage().nbytes()
            alive.append(tensor.detach())
        return tensor.detach()

    with torch.enable_grad(), saved_tensors_hooks(pack, lambda tensor: tensor):
        net(x)
    return sum(storages.values())


@contextmanager
def attention_as_on_a_cpu() -> Iterator[None]:
    """On the meta device torch takes attention apart; here it runs in one kernel wherever a CPU runs it so."""
    of_torch = functional.scaled_dot_product_attention

    def on_cpu(tensor: Tensor | None) -> Tensor | None:
        if tensor is None:
            return None
        like = torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype)
        return like.requires_grad_(tensor.requires_grad)

    def run(
        q: Tensor, k: Tensor, v: Tensor, attn_mask: Tensor | None = None, *rest: Any, **how: Any
    ) -> Any:
        kinds = [on_cpu(each) for each in (q, k, v, attn_mask)]
        if torch._fused_sdp_choice(*kinds, *rest, **how) != 1:  # type: ignore[attr-defined]
            return of_torch(q, k, v, attn_mask, *rest, **how)
        kernel = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
        return kernel(q, k, v, *rest, attn_mask=attn_mask, **how)[0]

    functional.scaled_dot_product_attention = run
    try:
        yield
    finally:
        functional.scaled_dot_product_attention = of_torch


def _bytes(tensors: Iterable[Tensor]) -> int:
    return sum(tensor.untyped_storage().nbytes() for tensor in tensors)


def _storage(tensor: Tensor) -> int:
    """What tells storages apart: on the meta device their data has no address."""
    return int(tensor.untyped_storage()._cdata)


class Live(TorchDispatchMode):
    """Follows every storage that an operator hands out until nobody holds it any more.

    ``now`` and ``peak`` are bytes; the storages of ``before`` are left out.
    """

    def __init__(self, *before: Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.now = self.peak = 0
        self.before = before
        self.followed: dict[int, Any] = {_storage(tensor): None for tensor in before}

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        result = function(*args, **(kwargs or {}))
        for tensor in tree_leaves(result):
            if isinstance(tensor, Tensor) and _storage(tensor) not in self.followed:
                self._follow(tensor)
        self.peak = max(self.peak, self.now)
        return result

    def _follow(self, tensor: Tensor) -> None:
        storage, key = tensor.untyped_storage(), _storage(tensor)
        size = storage.nbytes()
        self.now += size

        def freed(_: Any) -> None:
            del self.followed[key]
            self.now -= size

        self.followed[key] = weakref.ref(storage, freed)


def live_peak(net: nn.Module, x: Tensor) -> int:
    """The most bytes that tensors hold at once in a forward pass without gradients.

    Weights, buffers and the input, which are there before, are left out. The module's mode is kept.
    """
    live = Live(x, *net.state_dict().values())
    with torch.no_grad(), live:
        net(x)
    return live.peak


def held_for_backward(net: nn.Module, x: Tensor) -> int:
    """Bytes of tensors alive after a forward pass with gradients, the input among them.

    Unlike `saved`, it sees what `torch.utils.checkpoint` holds to run again. Weights, buffers and
    the network's output are left out.
    """
    live = Live(x, *net.state_dict().values())
    with torch.enable_grad(), live:
        output: Tensor = net(x)
    return live.now + x.untyped_storage().nbytes() - output.untyped_storage().nbytes()


def blocks(net: nn.Module) -> list[nn.Module]:
    """The blocks of a residual or plain network, in order."""
    return [
        block
        for name, stage in net.named_modules()
        if re.fullmatch(
            r"layer\d+|trunk_output\.block\d+|features\.[1357]", name
        )  # RegNet's, ConvNeXt's
        for block in stage.children()
    ]


def checkpointed(net: nn.Module) -> nn.Module:
    """The same network with each block's activations dropped, and the block run again when needed."""
    for block in blocks(net):
        block.forward = partial(checkpoint, block.forward, use_reentrant=False)
    return net


def saved_by_blocks(net: nn.Module, x: Tensor) -> list[int]:
    """For each block the bytes that autograd saves in it alone, its input left out."""
    inputs: list[Tensor] = []
    hooks = [
        block.register_forward_pre_hook(lambda _module, given: inputs.append(given[0]))
        for block in blocks(net)
    ]
    with torch.no_grad():
        net(x)
    for hook in hooks:
        hook.remove()
    return [
        saved(block, given.detach().requires_grad_()) - given.untyped_storage().nbytes()
        for block, given in zip(blocks(net), inputs, strict=True)
    ]


def training_peak(net: nn.Module, x: Tensor, name: str) -> int:
    """The most bytes that tensors hold at once in a training step after the first, all included.

    Cross-entropy on the first class; gradients are let go before the step, as torch does by default.
    """
    optimizer = _stepped(net, name)
    optimizer.zero_grad()
    before = {
        _storage(tensor): tensor
        for tensor in (x, *net.state_dict().values(), *_state(optimizer, counters=True))
    }
    target = torch.zeros(len(x), dtype=torch.long, device=x.device)
    live = Live(target, *before.values())
    with torch.enable_grad(), live:
        loss = nn.functional.cross_entropy(net(x), target)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return live.peak + _bytes(before.values())


def optimizer_state(net: nn.Module, name: str) -> int:
    """Bytes of an optimiser's tensors after one step, without its counters of steps."""
    return _bytes(_state(_stepped(net, name), counters=False))


def _stepped(net: nn.Module, name: str) -> torch.optim.Optimizer:
    """An optimiser that has made a step with gradients of zero, and so its state."""
    for parameter in net.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer = OPTIMIZERS[name](net.parameters())
    optimizer.step()
    return optimizer


def _state(optimizer: torch.optim.Optimizer, counters: bool) -> list[Tensor]:
    return [
        value
        for state in optimizer.state.values()
        for key, value in state.items()
        if isinstance(value, Tensor) and (counters or key != "step")
    ]
