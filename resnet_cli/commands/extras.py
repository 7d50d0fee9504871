"""What a person sees of heavy commands: patience, shown on stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, TypeVar

from resnet_cli.errors import printable

if TYPE_CHECKING:
    from resnet_cli.training.processes import Task, Told

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


@contextmanager
def training() -> Iterator[Told]:
    """Shows runs that are trained: on a terminal a bar for each, with error, speed and time left.

    Elsewhere a line for each that is at its end.
    """
    if not sys.stderr.isatty():
        yield _line_at_the_end
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:,.0f}/{task.total:,.0f}"),
        TextColumn("{task.fields[error]}"), TextColumn("{task.fields[speed]}"), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        by_run: dict[Task, TaskID] = {}

        def told(task: Task, iterations: int, error: float | None) -> None:
            if task not in by_run:
                by_run[task] = bars.add_task(
                    printable(f"{task.name}, seed {task.seed}", 60), total=task.iterations, error="", speed=""
                )  # fmt: skip
            bar = by_run[task]
            speed = bars.tasks[bar].speed
            if error is None:
                bars.remove_task(bar)
                return
            bars.update(
                bar, completed=iterations, error=f"error {error:.0f}%", speed=f"{speed:.1f}/s" if speed else ""
            )  # fmt: skip

        yield told


def _line_at_the_end(task: Task, iterations: int, error: float | None) -> None:
    if error is None:
        text = f"note: {printable(task.name)}, seed {task.seed}: {iterations:,} iterations done"
        print(text, file=sys.stderr, flush=True)
