"""A tree of layers becomes a `torch.nn.Module` with torchvision's names.

The modules say nothing of any network: a leaf becomes torch's own layer, and `Steps` runs layers by
name in the order of the tree. Keys and their order are those of the trace.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from resnet_cli.designs.vgg import VGG
from resnet_cli.designs.zoo import Spec
from resnet_cli.errors import UserError
from resnet_cli.garbage import uncollected
from resnet_cli.layers import leaves as layers
from resnet_cli.layers.leaves import (
    AdaptiveAvgPool2d,
    AvgPool2d,
    Dropout,
    Flatten,
    GatedAdd,
    Layer,
    MaxPool2d,
    Node,
    PadShortcut,
    ReLU,
    Residual,
    ScaledAdd,
    Sequence,
    Sigmoid,
    Stage,
)

Named = list[tuple[str, nn.Module]]


class Steps(nn.Module):
    """Layers run by name, one after another; a name may come several times (one ReLU does).

    With a ``merge`` it is a residual unit: ``after(merge(shortcut(x), body(x)))`` where x is
    ``before`` of the input. ``scales`` multiply shortcut and body of an addition.
    """

    gate: nn.Module

    def __init__(
        self,
        title: str,
        body: Named,
        shortcut: Named | None = None,
        before: Named | None = None,
        after: Named | None = None,
        merge: str = "",
        scales: tuple[float, float] = (1.0, 1.0),
    ) -> None:
        super().__init__()
        self.title, self.merge, self.scales = title, merge, scales
        self.before, self.body, self.shortcut, self.after = (
            self._register(part or []) for part in (before, body, shortcut, after)
        )

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
        if self.merge == "scale":
            y = self._run(self.shortcut, x) * y
        elif self.merge == "addition":
            shortcut = self._run(self.shortcut, x)
            y = shortcut + y if self.scales == (1, 1) else _scaled(shortcut, y, self.scales)
        elif self.merge == "gated addition":
            y = self.gate(self._run(self.shortcut, x), y)
        return self._run(self.after, y)

    def _get_name(self) -> str:
        return self.title


def _scaled(shortcut: Tensor, body: Tensor, scales: tuple[float, float]) -> Tensor:
    return scales[0] * shortcut + scales[1] * body


class ZeroPadding(nn.Module):
    """Shortcut A: every stride-th pixel, zeros in the new channels (He et al. 2015, Sec. 3.3)."""

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self.channels, self.stride = channels, stride

    def forward(self, x: Tensor) -> Tensor:
        x = x[:, :, :: self.stride, :: self.stride]
        return F.pad(x, (0, 0, 0, 0, 0, self.channels - x.shape[1]))

    def extra_repr(self) -> str:
        return f"channels={self.channels}, stride={self.stride}"


class GatedAddition(nn.Conv2d):
    """The 1×1 convolution of a gate g: (1 − g)·shortcut + body, or + g·body (He et al. 2016, Sec. 3.1)."""

    def __init__(self, channels: int, exclusive: bool) -> None:
        super().__init__(channels, channels, 1, device="meta")
        self.exclusive = exclusive

    def forward(self, shortcut: Tensor, body: Tensor) -> Tensor:  # type: ignore[override]
        gate = super().forward(shortcut).sigmoid()
        return (1 - gate) * shortcut + (gate * body if self.exclusive else body)


def build(
    spec: Spec, *, seed: int | None = None, device: str = "cpu", zero_gamma: bool = False
) -> nn.Module:
    """The network of a spec, for float inputs of (batch, channels, height, width), initialised.

    On the meta device it has shapes and no numbers, at once. ``seed`` None takes torch's global
    generator. ``zero_gamma`` starts the last batch norm of each residual block at 0 (Goyal et al.
    2017, Sec. 5.1); raises `UserError` where no block ends in one.
    """
    block = "Bottleneck" if getattr(spec, "block", "") == "bottleneck" else "BasicBlock"
    title = "VGG" if isinstance(spec, VGG) else "ResNet"
    with uncollected():
        net = Steps(title, _children(spec.net().parts, block))
    last = _last_norms(net) if zero_gamma else []
    if zero_gamma and not last:
        raise UserError(
            f"no residual block of {spec.name} ends in a batch norm", "leave out the zero γ"
        )
    if device == "meta":
        return net
    net.to_empty(device=device)
    initialise(net, None if seed is None else torch.Generator(device).manual_seed(seed))
    for norm in last:
        nn.init.zeros_(norm.weight)
    return net


def initialise(net: nn.Module, generator: torch.Generator | None = None) -> None:
    """He normal, fan out, for convolutions (He et al. 2015, Sec. 3.4); batch norms 1 and 0.

    Linear layers: normal, 0.01 (Simonyan & Zisserman 2015, Sec. 3.1). Biases 0.
    """
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(
                module.weight, mode="fan_out", nonlinearity="relu", generator=generator
            )
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.01, generator=generator)
        elif isinstance(module, nn.BatchNorm2d):
            module.reset_parameters()
        if isinstance(module, nn.Conv2d | nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)


def _last_norms(net: nn.Module) -> list[nn.BatchNorm2d]:
    """The batch norm that each residual block ends in; a gate after it does not count."""
    last = []
    for block in net.modules():
        if isinstance(block, Steps) and block.merge == "addition":
            ends = [m for m in map(block.get_submodule, block.body) if not isinstance(m, Steps)]
            last += [m for m in ends[-1:] if isinstance(m, nn.BatchNorm2d)]
    return last


def _children(parts: Iterable[Node], block: str) -> Named:
    """Named modules in the order of execution; a stage's parts stand where the stage does."""
    nodes: list[Layer | Sequence | Residual] = []
    for node in parts:
        for part in node.parts if isinstance(node, Stage) else (node,):
            assert not isinstance(part, Stage), "stages do not hold stages"
            last = nodes[-1] if nodes else None
            if isinstance(part, Sequence) and isinstance(last, Sequence) and last.name == part.name:
                nodes[-1] = Sequence(part.name, last.parts + part.parts)  # VGG's features
            else:
                nodes.append(part)
    return [(node.name, _module(node, block)) for node in nodes]


def _module(node: Layer | Sequence | Residual, block: str) -> nn.Module:
    if isinstance(node, Layer):
        return _leaf(node)
    if isinstance(node, Sequence):
        children = _children(node.parts, block)
        if len({name for name, _ in children}) == len(children):
            return nn.Sequential(OrderedDict(children))
        return Steps(block, children)
    merge = node.merge
    scales = (merge.shortcut, merge.body) if isinstance(merge, ScaledAdd) else (1.0, 1.0)
    steps = Steps(
        "SqueezeExcitation" if merge.kind == "scale" else block,
        _children(node.body, block),
        _children(node.shortcut, block),
        _children(node.before, block),
        _children(node.after, block),
        merge.kind,
        scales,
    )
    if isinstance(merge, GatedAdd):
        steps.add_module("gate", GatedAddition(merge.channels, merge.exclusive))
    return steps


def _unfilled(kind: type[nn.Module], *given: Any, **named: Any) -> nn.Module:
    """Torch's own layer on the meta device, made without setting numbers: a third of the time."""
    module = SILENT[kind](*given, device="meta", **named)
    object.__setattr__(module, "__class__", kind)  # nn.Module's own way takes far longer
    return module


SILENT: dict[type[nn.Module], type[nn.Module]] = {
    kind: type(kind.__name__, (kind,), {"reset_parameters": lambda self: None})
    for kind in (nn.Conv2d, nn.BatchNorm2d, nn.Linear)
}


def _leaf(layer: Layer) -> nn.Module:
    match layer:
        case layers.Conv2d():
            return _unfilled(
                nn.Conv2d, layer.in_channels, layer.out_channels, layer.kernel, layer.stride, layer.padding,
                groups=layer.groups, bias=layer.bias,
            )  # fmt: skip
        case layers.BatchNorm2d():
            return _unfilled(nn.BatchNorm2d, layer.channels)
        case layers.Linear():
            return _unfilled(nn.Linear, layer.in_features, layer.out_features)
        case MaxPool2d():
            return nn.MaxPool2d(layer.kernel, layer.stride, layer.padding)
        case AvgPool2d():
            return nn.AvgPool2d(layer.kernel, ceil_mode=True, count_include_pad=False)
        case AdaptiveAvgPool2d():
            return nn.AdaptiveAvgPool2d(layer.size)
        case PadShortcut():
            return ZeroPadding(layer.out_channels, layer.stride)
        case ReLU():
            return nn.ReLU()
        case Sigmoid():
            return nn.Sigmoid()
        case Dropout():
            return nn.Dropout()
        case Flatten():
            return nn.Flatten()
    raise TypeError(f"no module for {layer}")
