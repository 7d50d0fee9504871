"""A tree of layers becomes a `torch.nn.Module` with torchvision's names.

The modules say nothing of any network: a leaf becomes torch's own layer, and `Steps` runs layers by
name in the order of the tree. Keys and their order are those of the trace.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from resnet_cli.designs.convnext import ConvNeXt
from resnet_cli.designs.zoo import Spec
from resnet_cli.errors import UserError
from resnet_cli.garbage import uncollected
from resnet_cli.layers.base import Layer
from resnet_cli.layers.tree import Node, Parallel, Residual, Sequence, children
from resnet_cli.pytorch import modules

Named = list[tuple[str, nn.Module]]
NORMS = (nn.BatchNorm2d, nn.GroupNorm)
RESET = (
    *NORMS, nn.BatchNorm1d, nn.PReLU, nn.LayerNorm,
    modules.LayerScale, modules.BlurPool, modules.FrozenBatchNorm2d,
)  # fmt: skip
"""What begins as its module has it, whatever the seed."""


class Steps(nn.Module):
    """Layers run by name, one after another; a name may come several times (one ReLU does).

    With a ``merge`` it is a residual unit: ``after(merge(shortcut(x), body(x)))`` where x is
    ``before`` of the input. It ``joins`` where that is a shortcut with its block, and not a gate.
    """

    def __init__(
        self,
        title: str,
        body: Named,
        shortcut: Named | None = None,
        before: Named | None = None,
        after: Named | None = None,
        name: str = "",
        merge: Callable[[Tensor, Tensor], Tensor] | None = None,
        joins: bool = False,
    ) -> None:
        super().__init__()
        self.title, self.joins = title, joins
        self.before, self.body, self.shortcut, self.after = (
            self._register(part or []) for part in (before, body, shortcut, after)
        )
        self.merge: Callable[[Tensor, Tensor], Tensor] | str | None
        self.merge = name if isinstance(merge, nn.Module) else merge
        if isinstance(merge, nn.Module):
            self.add_module(name, merge)

    def _register(self, part: Named) -> tuple[str, ...]:
        for name, module in part:
            if name not in self._modules:
                self.add_module(name, module)
        return tuple(name for name, _ in part)

    def _run(self, names: tuple[str, ...], x: Tensor) -> Tensor:
        for name in names:
            x = getattr(self, name)(x)
        return x

    def forward(self, x: Tensor) -> Tensor:
        x = self._run(self.before, x)
        y = self._run(self.body, x)
        if self.merge is not None:
            shortcut = self._run(self.shortcut, x)  # held to the end, as torchvision holds it
            merge = getattr(self, self.merge) if isinstance(self.merge, str) else self.merge
            y = merge(shortcut, y)
        return self._run(self.after, y)

    def _get_name(self) -> str:
        return self.title


def build(
    spec: Spec, *, seed: int | None = None, device: str = "cpu", zero_gamma: bool = False
) -> nn.Module:
    """The network of a spec, for float inputs of (batch, channels, height, width), initialised.

    On the meta device it has shapes and no numbers, at once. ``seed`` None takes torch's global
    generator. ``zero_gamma`` starts the last norm of each residual block at 0 (Goyal et al.
    2017, Sec. 5.1); raises `UserError` where no block ends in one.
    """
    tree = spec.net()
    with uncollected(), Unfilled():
        net = Steps(tree.title, _children(tree.parts))
    last = _last_norms(net) if zero_gamma else []
    if zero_gamma and not last:
        raise UserError(f"no residual block of {spec.name} ends in a norm", "leave out the zero γ")
    if device == "meta":
        return net
    net.to_empty(device=device)
    for module in net.modules():
        if isinstance(module, RESET):
            module.reset_parameters()
    start = modules.initialise_truncated if isinstance(spec, ConvNeXt) else modules.initialise
    start(net, None if seed is None else torch.Generator(device).manual_seed(seed))
    for norm in last:
        nn.init.zeros_(norm.weight)
    return net


def _last_norms(net: nn.Module) -> list[nn.BatchNorm2d | nn.GroupNorm]:
    """The norm that each residual block ends in; a gate after it does not count."""
    last = []
    for block in net.modules():
        if isinstance(block, Steps) and block.joins:
            ends = [m for m in map(block.get_submodule, block.body) if not isinstance(m, Steps)]
            while ends and isinstance(ends[-1], nn.Sequential):
                ends = [*ends[-1]]
            last += [m for m in ends[-1:] if isinstance(m, NORMS)]
    return last


def _children(parts: Iterable[Node]) -> Named:
    """Named modules in the order of execution."""
    return [(node.name, _module(node)) for node in children(parts)]


def _module(node: Layer | Sequence | Residual | Parallel) -> nn.Module:
    if isinstance(node, Layer):
        made: nn.Module = _made(node)
        return made
    if isinstance(node, Sequence):
        named = _children(node.parts)
        if len({name for name, _ in named}) == len(named):
            return nn.Sequential(OrderedDict(named))
        return Steps(node.title, named)
    if isinstance(node, Parallel):
        branches = map(_module, node.branches)
        return modules.Branches(*branches, parts=node.split, chain=node.chain)
    return Steps(
        node.title,
        _children(node.body),
        _children(node.shortcut),
        _children(node.before),
        _children(node.after),
        node.merge.name,
        _made(node.merge),
        node.merge.join,
    )


def _made(layer: Layer) -> Any:
    """Torch's own layer, or ours where torch has none; a function where it needs no module."""
    name, arguments, usual = layer.module()
    made = getattr(nn, name, None) or getattr(modules, name)
    if not isinstance(made, type):
        return made
    given = [value for key, value in arguments.items() if key not in usual]
    return made(*given, **{key: arguments[key] for key in usual})


FACTORIES = frozenset({torch.empty, torch.zeros, torch.ones, torch.tensor})


class Unfilled(TorchFunctionMode):
    """Modules are made on the meta device, and their numbers not set, which would take most of the time.

    What ``factories`` do not make has numbers.
    """

    def __init__(self, factories: Collection[Any] = FACTORIES) -> None:
        super().__init__()
        self.factories = factories

    def __torch_function__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        options = kwargs or {}
        if function in self.factories:
            return function(*args, **{**options, "device": "meta"})
        if getattr(function, "__module__", "") == "torch.nn.init":
            return (*args, *options.values())[0]
        return function(*args, **options)
