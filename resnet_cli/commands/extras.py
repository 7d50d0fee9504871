"""What a person sees of heavy commands: patience, shown on stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import TypeVar

from resnet_cli.errors import printable

Item = TypeVar("Item")


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


LONG = 5
"""Seconds from which on it is said how long something takes."""


def progress(items: Sequence[Item], doing: str, note: str = "") -> Iterator[Item]:
    """The items one by one, with a bar on stderr where that is a terminal.

    The note is said first; where there is no bar, after the first item how long the others may take.
    """
    if note:
        print(f"note: {note}", file=sys.stderr, flush=True)
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import track

        console, silent = Console(stderr=True), len(items) < 2
        yield from track(items, doing, console=console, disable=silent, transient=True)
        return
    start = monotonic()
    for at, item in enumerate(items):
        left = (monotonic() - start) * (len(items) - 1)
        if at == 1 and note and left > LONG:
            print(f"note: {doing}: about {left:.0f} s more", file=sys.stderr, flush=True)
        yield item
