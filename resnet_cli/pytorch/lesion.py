"""The test error of a trained network, whole and with modules deleted or swapped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from resnet_cli.checkpoints.container.read import read
from resnet_cli.datasets.images import Images
from resnet_cli.errors import UserError, printable
from resnet_cli.pytorch import weights
from resnet_cli.pytorch.gradient import threads
from resnet_cli.pytorch.instance import Source, instance
from resnet_cli.pytorch.train.batches import AT_ONCE, Labelled, Scale, labelled, scale


class HandedOn(nn.Module):
    """What stands in for a module that is deleted: its first input, as it is."""

    def forward(self, x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        """The input."""
        return x


def errors(
    source: Source,
    path: str,
    images: Images,
    trained_on: int,
    dtype: str,
    lesions: Sequence[Mapping[str, str | None]],
) -> list[float]:
    """Per cent of the test images that are wrong: intact, then with each of the lesions.

    The weights are those of the file ``path``; pixels are scaled as by the first ``trained_on`` images for training. A
    lesion has the paths of modules, and what stands in for each: another's path, or None for its input. Raises
    `UserError` (exit 1) for weights of another network, and where a module can't be left out.
    """
    cpu, kind = torch.device("cpu"), getattr(torch, dtype)
    train, test = (labelled(part, images.shape, cpu) for part in (images.train, images.test))
    own = scale(train.images[:trained_on], kind)
    with instance(source, "cpu", seed=0) as called, threads([test.images]), torch.no_grad():
        net = called.module.to(kind)
        _load(net, path)
        net.eval()
        measured = [_error(net, test, own)]
        for lesion in lesions:
            with replaced(net, lesion):
                measured.append(_error(net, test, own))
    return measured


def _load(net: nn.Module, path: str) -> None:
    tensors = weights.content(path, read(path).format)
    try:
        net.load_state_dict(tensors)  # type: ignore[arg-type]
    except (RuntimeError, TypeError):
        what = f"{printable(path)!r} holds other weights than the network's"
        raise UserError(what, "train it again, in another folder", 1) from None


def _error(net: nn.Module, test: Labelled, scale: Scale) -> float:
    wrong = 0
    for start in range(0, len(test), AT_ONCE):
        images, labels = test.part(start, start + AT_ONCE)
        wrong += int((net(scale.of(images)).argmax(1) != labels).sum())
    return 100 * wrong / len(test)


@contextmanager
def replaced(net: nn.Module, lesion: Mapping[str, str | None]) -> Iterator[None]:
    """For a while with the module of another path in the place of some, or for None with what hands its input on."""
    own = {path: net.get_submodule(path) for path in lesion}
    try:
        for path, other in lesion.items():
            _put(net, path, HandedOn() if other is None else own[other])
        yield
    finally:
        for path, module in own.items():
            _put(net, path, module)


def _put(net: nn.Module, path: str, module: nn.Module) -> None:
    parent, _, name = path.rpartition(".")
    setattr(net.get_submodule(parent), name, module)
