"""What the heavy commands need besides: an installed torch, and patience shown on stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from typing import TypeVar

from resnet_cli.errors import UserError

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


def progress(items: Sequence[Item], doing: str) -> Iterator[Item]:
    """The items one by one, with a bar on stderr where that is a terminal."""
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    silent = not sys.stderr.isatty() or len(items) < 2
    yield from track(items, doing, console=console, disable=silent, transient=True)
