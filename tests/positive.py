"""What a neuron sees of the input, measured: where the gradient of its output is not zero."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import torch
from torch import Tensor, nn

from resnet_cli.designs.zoo import Spec
from resnet_cli.pytorch import modules
from resnet_cli.pytorch.build import Steps, build

Place = tuple[int, int]


class Positive:
    """A network in which nothing cancels, dies or is picked, so that what is seen has a gradient.

    Weights are positive, in double precision; batch norms do nothing. A max pool, whose gradient
    would go to the largest of its pixels alone, becomes an average pool with the same windows, and
    a sigmoid, flat for large numbers, nothing. The classifier is left out. ``gates`` False takes
    the squeeze-excitation gates out too, for the receptive field along the main path.
    """

    def __init__(self, spec: Spec, gates: bool = True) -> None:
        self.net = build(spec, device="meta")
        for path, module in [*self.net.named_modules()]:
            instead = _instead(path, module, gates)
            if instead is not None:
                parent, _, name = path.rpartition(".")
                setattr(self.net.get_submodule(parent), name, instead)
        self.net.double().to_empty(device="cpu").eval()
        with torch.no_grad():
            for module in self.net.modules():
                if isinstance(module, nn.Conv2d):
                    module.weight.fill_(1 / module.weight[0].numel())
                    if module.bias is not None:
                        module.bias.zero_()

    def seen(
        self, shape: tuple[int, int, int], places: Mapping[str, Iterable[Place]]
    ) -> Iterator[tuple[str, Place, Tensor]]:
        """For each neuron the pixels, (height, width) of bool, on which it depends.

        ``shape`` is (channels, height, width) of the input. ``places`` are the neurons, (row,
        column), in the outputs of the modules with these paths; negative ones count from the end.
        """
        outputs: dict[str, Tensor] = {}
        for path in places:
            self.net.get_submodule(path).register_forward_hook(
                lambda _module, _inputs, y, path=path: outputs.update({path: y})
            )
        x = torch.ones(1, *shape, dtype=torch.double, requires_grad=True)
        self.net(x)
        for path, neurons in places.items():
            for row, column in neurons:
                neuron = outputs[path][0, :, row, column].sum()
                gradient = torch.autograd.grad(neuron, x, retain_graph=True)[0]
                yield path, (row, column), gradient[0].sum(0) != 0


def _gated(gated: Tensor, _gate: Tensor) -> Tensor:
    return gated


def _instead(path: str, module: nn.Module, gates: bool) -> nn.Module | None:
    """What stands for a module, or nothing where it stays."""
    if path.startswith("classifier."):
        return None
    if isinstance(module, nn.MaxPool2d):
        return nn.AvgPool2d(module.kernel_size, module.stride, module.padding)
    if isinstance(module, modules.ZeroPaddedMaxPool2d):
        return nn.AvgPool2d(module.kernel, module.stride, module.padding)
    if isinstance(module, Steps) and module.merge is modules.scaling and not gates:
        module.merge = _gated  # what a gate computes has then no part in it
    linear = (
        nn.BatchNorm1d, nn.BatchNorm2d, nn.LayerNorm, modules.LayerScale, nn.Sigmoid, nn.PReLU, modules.SoftmaxOfParts,
    )  # fmt: skip
    if isinstance(module, linear):
        return nn.Identity()
    return nn.Identity() if path in ("fc", "classifier") else None
