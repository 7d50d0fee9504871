"""What the heavy commands need besides: an installed torch, and patience shown on stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from math import prod
from typing import TypeVar

from resnet_cli.analyses.cost import counts
from resnet_cli.errors import UserError, printable
from resnet_cli.trace import Row

Item = TypeVar("Item")


def need(command: str, *modules: str, extra: str = "torch") -> None:
    """Raises `UserError` (exit 1) that says what to install where a module is missing."""
    for module in modules:
        if find_spec(module) is None:
            raise UserError(
                f"{command} needs {module}, which is not installed",
                f'pip install "resnet-cli[{extra}]"',
                1,
            )


def fits(rows: Sequence[Row], train_on: int = 0) -> None:
    """Raises `UserError` (exit 1) for a network that this machine's memory does not hold, in floats.

    One input is run, or so many are trained on, which keeps weights twice and every output.
    """
    weights = sum(map(counts.parameters, rows)) + sum(map(counts.buffers, rows))
    live = max(prod(row.input) + prod(row.output) for row in rows)
    if train_on:
        weights, live = 2 * weights, train_on * sum(prod(row.output) for row in rows)
    if not hasattr(os, "sysconf"):  # Windows does not say
        return
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if 4 * (weights + live) > memory:
        raise UserError(
            f"the network takes {4 * weights:,} bytes of weights and {4 * live:,} of activations, "
            f"over the {memory:,} bytes of this machine",
            "take a smaller width, input size or batch",
            1,
        )


@contextmanager
def working(doing: str) -> Iterator[None]:
    """Says on stderr what takes a while, as long as it does, where that is a terminal."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.text import Text

    with Console(stderr=True).status(Text(f"{printable(doing)} …")):
        yield


def progress(items: Sequence[Item], doing: str) -> Iterator[Item]:
    """The items one by one, with a bar on stderr where that is a terminal."""
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    silent = not sys.stderr.isatty() or len(items) < 2
    yield from track(items, doing, console=console, disable=silent, transient=True)
