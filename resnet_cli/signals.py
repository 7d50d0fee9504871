"""Ctrl-C and its like: they end the program with one line, and nothing half-written stays behind."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from types import FrameType

ENDING = {"SIGINT": "interrupted", "SIGTERM": "terminated", "SIGHUP": "the terminal was closed"}
SHOW_CURSOR = b"\x1b[?25h"

unfinished: set[str] = set()
"""Files to take away when the program is stopped; for `files.whole`."""
hints: list[str] = []
"""What to type to go on, where that is possible."""


def handle() -> None:
    """From now on these signals end the process, with 128 + their number as its exit status.

    At once, without an exception: what imports or exports may swallow one. A signal that is ignored
    stays so (nohup, a shell's background).
    """
    for name in ENDING:
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, end)


def end(number: int, frame: FrameType | None = None) -> None:
    """Removes what is unfinished, says on stderr why the program ends, and ends it."""
    clear()
    with suppress(OSError):
        if os.isatty(2):  # a bar of progress may have hidden it
            os.write(2, SHOW_CURSOR)
        hint = "".join(f" hint: {hint}\n" for hint in hints)
        os.write(2, f"error: {ENDING[signal.Signals(number).name]}\n{hint}".encode())
    os._exit(128 + number)


def clear() -> None:
    """Removes what is unfinished."""
    for path in tuple(unfinished):
        with suppress(OSError):
            os.unlink(path)
