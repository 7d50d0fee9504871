"""What a person sees of heavy commands: patience, shown on stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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


def progress(items: Sequence[Item], doing: str) -> Iterator[Item]:
    """The items one by one, with a bar on stderr where that is a terminal."""
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    silent = not sys.stderr.isatty() or len(items) < 2
    yield from track(items, doing, console=console, disable=silent, transient=True)
