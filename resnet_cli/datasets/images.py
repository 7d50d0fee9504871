"""Images: what every data set is read to."""

from __future__ import annotations

from typing import NamedTuple


class Part(NamedTuple):
    """Images one after another, a byte for each number in the order channel, row, column, and a byte for each label."""

    images: bytes
    labels: bytes


class Images(NamedTuple):
    """A data set: ``shape`` of one image is (channels, height, width), labels are 0 to ``classes`` - 1."""

    name: str
    shape: tuple[int, int, int]
    classes: int
    train: Part
    test: Part

    @property
    def sha256(self) -> str:
        """Of all images and labels, in their order."""
        from hashlib import sha256

        return sha256(b"".join((*self.train, *self.test))).hexdigest()
