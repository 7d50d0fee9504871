"""What other libraries call residual networks, and which of ours each is."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import NamedTuple


class LibraryName(NamedTuple):
    """One name in one library: a row of names.csv.

    ``network`` with ``changes`` (KEY=VALUE,… as MODEL takes them) is the same network here; where
    ``differs`` says what cannot be described, it is the nearest. ``params`` and ``macs`` (of
    convolutions and linear layers, for one input of the library's own size) are what the library's
    network has, timm 1.0.31's and torchvision 0.28's as built; 0 where it was not run.
    """

    library: str
    name: str
    network: str
    changes: str
    params: int
    macs: int
    differs: str

    @property
    def model(self) -> str:
        """How it is typed as MODEL: timm:resnet26, microsoft/resnet-26, keras-resnet50."""
        if "/" in self.name:
            return self.name
        return f"{self.library}:{self.name}" if self.library in LIBRARIES else self.ours

    @property
    def ours(self) -> str:
        """The same, or the nearest, as a listed network and what is changed of it."""
        return f"{self.network}:{self.changes}" if self.changes else self.network


LIBRARIES = ("timm", "torchvision")
"""The libraries that stand before a colon in MODEL."""


@cache
def names() -> tuple[LibraryName, ...]:
    """Every name, by library."""
    with Path(__file__).with_name("names.csv").open(encoding="utf-8", newline="") as file:
        return tuple(
            LibraryName(library, name, network, changes, int(params), int(macs or 0), differs)
            for library, name, network, changes, params, macs, differs in [*csv.reader(file)][1:]
        )
