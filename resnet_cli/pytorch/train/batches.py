"""Batches from one tensor of all images: what stands in one is decided by the seed and its number alone."""

from __future__ import annotations

from hashlib import sha256
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from resnet_cli.datasets.images import Part
from resnet_cli.runs import Recipe

AT_ONCE = 500
"""Images that are looked at together where nothing is learnt: few calls, and not much memory."""


class Scale(NamedTuple):
    """What is taken off each pixel, (channels, height, width), and what all are divided by."""

    mean: Tensor
    deviation: float

    def of(self, images: Tensor) -> Tensor:
        """Bytes as the numbers that a network takes."""
        return (images.to(self.mean.dtype) - self.mean) / self.deviation


class Labelled(NamedTuple):
    """Images as bytes, (number, channels, height, width), and their classes."""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def part(self, start: int, end: int) -> Labelled:
        """Those from ``start`` to before ``end``."""
        return Labelled(self.images[start:end], self.labels[start:end])


def labelled(part: Part, shape: tuple[int, int, int], device: torch.device) -> Labelled:
    """A part of a data set as tensors on a device."""
    images = torch.frombuffer(bytearray(part.images), dtype=torch.uint8).view(-1, *shape)
    labels = torch.frombuffer(bytearray(part.labels), dtype=torch.uint8).long()
    return Labelled(images.to(device), labels.to(device))


def scale(images: Tensor, dtype: torch.dtype) -> Scale:
    """Each pixel's mean (He et al. 2015, Sec. 4.2) and the deviation of all of them from it.

    Their sums are of whole numbers, so the same on every machine.
    """
    total = torch.zeros(images.shape[1:], dtype=torch.int64, device=images.device)
    squares = torch.zeros_like(total)
    for start in range(0, len(images), AT_ONCE):
        wide = images[start : start + AT_ONCE].long()
        total += wide.sum(0)
        squares += wide.square().sum(0)
    mean = total.double() / len(images)
    variance = (squares.double() / len(images) - mean.square()).mean().item()
    return Scale(mean.to(dtype), variance**0.5 or 1.0)


def key(*parts: object) -> int:
    """A number of 63 bits that the parts decide: a seed, what it is for, and of which iteration or epoch."""
    return int.from_bytes(sha256(repr(parts).encode()).digest()[:8], "big") >> 1


def generator(*parts: object) -> torch.Generator:
    """Random numbers that their `key` decides, on the CPU for every device."""
    return torch.Generator().manual_seed(key(*parts))


class Batches:
    """The batches of a run. ``share`` is which part of each is ours: (which, of how many)."""

    def __init__(
        self,
        data: Labelled,
        scale: Scale,
        recipe: Recipe,
        seed: int,
        share: tuple[int, int] = (0, 1),
    ) -> None:
        self.data, self.scale, self.recipe, self.seed = data, scale, recipe, seed
        self.epoch, self.order = -1, torch.empty(0)
        self.per_epoch = len(data) // recipe.batch  # the rest of an epoch's images is left out
        which, shares = share
        size = recipe.batch // shares
        self.ours = slice(which * size, (which + 1) * size)
        _, channels, height, width = data.images.shape
        device = data.images.device
        self.number = torch.arange(size, device=device).view(-1, 1, 1, 1)
        self.channel = torch.arange(channels, device=device).view(1, -1, 1, 1)
        self.row = torch.arange(height, device=device).view(1, 1, -1, 1)
        self.column = torch.arange(width, device=device).view(1, 1, 1, -1)

    def at(self, iteration: int) -> tuple[Tensor, Tensor]:
        """Our part of the images of an iteration, counted from 0, as floats, and their classes."""
        plan = self._plan(iteration)[:, self.ours].to(self.data.images.device)
        index, down, right, mirrored = plan
        images = self.scale.of(self.data.images[index])
        if self.recipe.padding or self.recipe.flip:
            images = self._cropped(
                images, *(each.view(-1, 1, 1, 1) for each in (down, right, mirrored))
            )
        return images, self.data.labels[index]

    def _plan(self, iteration: int) -> Tensor:
        """(4, batch): which image, how far down and right it is cropped, and whether it is mirrored."""
        epoch, step = divmod(iteration, self.per_epoch)
        if epoch != self.epoch:
            order = generator(self.seed, "order", epoch)
            self.epoch, self.order = epoch, torch.randperm(len(self.data), generator=order)
        batch = self.recipe.batch
        crops = generator(self.seed, "crops", iteration)
        moved = torch.randint(2 * self.recipe.padding + 1, (2, batch), generator=crops)
        mirrored = torch.randint(2 if self.recipe.flip else 1, (1, batch), generator=crops)
        return torch.cat((self.order[None, step * batch : (step + 1) * batch], moved, mirrored))

    def _cropped(self, images: Tensor, down: Tensor, right: Tensor, mirrored: Tensor) -> Tensor:
        """All crops in one gather, out of images with zeros, the mean's, around them."""
        padded = functional.pad(images, (self.recipe.padding,) * 4)
        column = torch.where(mirrored > 0, self.column.flip(3), self.column)
        return padded[self.number, self.channel, down + self.row, right + column]
