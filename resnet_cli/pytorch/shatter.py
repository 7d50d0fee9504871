"""How a network's output changes along a line between two images, as the network is initialised."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from resnet_cli.datasets.images import Images
from resnet_cli.errors import UserError, printable
from resnet_cli.pytorch.gradient import differentiable, set_gates, threads
from resnet_cli.pytorch.instance import Instance, Source, instance
from resnet_cli.pytorch.running import kept_buffers
from resnet_cli.pytorch.train.batches import labelled, scale

POINTS = 256
"""Of the line, both images among them."""
OTHERS = 256
"""Images beside them that the statistics of batch norm are of."""


def scaled(data: Images) -> Tensor:
    """The images for training as a network takes them, (images, channels, height, width)."""
    images = labelled(data.train, data.shape, torch.device("cpu")).images
    return scale(images, torch.float32).of(images)


def derivatives(source: Source, seed: int, images: Tensor, gate_bias: float = 0.0) -> list[float]:
    """dy/dt at `POINTS` points x(t) of the line from one image to another, t from 0 to 1.

    ``images`` are (images, channels, height, width). From ``seed`` come the two, `OTHERS` more, the weights, and
    the normal numbers whose product with the output is y. Batch norm has the statistics of all these images and points.
    Raises `UserError` (exit 1) for a network that takes no images, or has no output for each.
    """
    generator = torch.Generator().manual_seed(seed)
    with instance(source, "cpu", seed) as called, kept_buffers(called.module):
        set_gates(called.module, gate_bias)
        chosen = torch.randperm(len(images), generator=generator)[: 2 + OTHERS]
        fitted = _fitted(images[chosen], _taken(called, source.model))
        first, last = fitted[0], fitted[1]
        line = torch.lerp(first, last, torch.linspace(0, 1, POINTS).reshape(-1, 1, 1, 1))
        with threads([line]), torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            _freeze(called, torch.cat([line, fitted[2:]]))
            y = differentiable(_output(called, line.requires_grad_()))
            if not y.dim() or len(y) != POINTS:
                what = f"{printable(source.model)} puts out nothing for each image by itself"
                raise UserError(what, "give a network whose output leads with the batch", 1)
            numbers = torch.randn(y.shape[1:], generator=generator)
            (gradient,) = torch.autograd.grad((y * numbers).sum(), line)
    slopes: list[float] = (gradient * (last - first)).flatten(1).double().sum(1).tolist()
    return slopes


def _taken(called: Instance, model: str) -> Tensor:
    """The image that the network is called with. Raises `UserError` (exit 1) for anything else."""
    tensors = [v for v in (*called.args, *called.kwargs.values()) if isinstance(v, Tensor)]
    if len(tensors) != 1 or tensors[0].dim() != 4 or not tensors[0].is_floating_point():
        raise UserError(
            f"{printable(model)} takes something else than images, which the line is drawn between",
            "give a network that takes one image",
            1,
        )
    return tensors[0]


def _fitted(images: Tensor, taken: Tensor) -> Tensor:
    """The images resized to the one that the network takes; in its channels, where they have others, their mean."""
    channels, *size = taken.shape[1:]
    if images.shape[1] != channels:
        images = images.mean(1, keepdim=True).expand(-1, channels, -1, -1)
    if [*images.shape[2:]] != size:
        images = nn.functional.interpolate(images, size=size, mode="bilinear")
    return images.to(taken)


def _freeze(called: Instance, images: Tensor) -> None:
    """The network in eval mode, its batch norms with the statistics of these images."""
    called.module.eval()
    norms = [module for module in called.module.modules() if isinstance(module, _BatchNorm)]
    for norm in norms:
        if norm.running_mean is None:
            what = "a batch norm keeps no statistics that could be frozen"
            raise UserError(what, "give a network with track_running_stats=True", 1)
        norm.momentum = 1.0
        norm.train()
    with torch.no_grad():
        _output(called, images)
    called.module.eval()


def _output(called: Instance, images: Tensor) -> object:
    """What the network makes of these images, which take the place of its own."""

    def replaced(value: object) -> object:
        return images if isinstance(value, Tensor) else value

    args = tuple(map(replaced, called.args))
    return called.module(*args, **{key: replaced(value) for key, value in called.kwargs.items()})
