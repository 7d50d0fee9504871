"""Opening a weight file, and saying what is wrong with one.

A complaint is a predicate ("is empty"): `read` puts the file's name before it.
"""

from __future__ import annotations

import os
import stat
from typing import BinaryIO

from resnet_cli.errors import UserError

MOST_NAME = 1000  # letters, of a tensor
AGAIN = "it is truncated or damaged; download or save it again"


def bad(what: str, hint: str = AGAIN) -> UserError:
    """The error for a file that `what`: exit status 1."""
    return UserError(what, hint, 1)


def shown(text: str) -> str:
    """Text from a file as it may reach a terminal: quoted, without control characters, short."""
    return repr(text if len(text) <= 80 else text[:77] + "...")


def printable(name: str) -> bool:
    """Whether a name from a file is short and free of what a terminal would act upon."""
    return len(name) <= MOST_NAME and name.isprintable()


def opened(path: str) -> tuple[BinaryIO, int]:
    """A regular file, open for reading without a buffer, and its size in bytes.

    Raises `UserError` for all else; a pipe or a device is never opened, as reading it could wait
    for ever.
    """
    hint = "give a file of weights"
    try:
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            raise bad("is a directory", hint)
        if not stat.S_ISREG(status.st_mode):
            raise bad("is not a regular file", hint)
        return open(path, "rb", buffering=0), status.st_size
    except (OSError, ValueError) as problem:  # ValueError: a name with a null byte
        reason = getattr(problem, "strerror", None) or str(problem)
        raise bad(f"cannot be read: {reason}", hint) from None


def part(file: BinaryIO, start: int, length: int) -> bytes:
    """`length` bytes from `start`, fewer where the file ends."""
    file.seek(start)
    pieces = []
    while length > 0 and (piece := file.read(length)):  # one read may give less than was asked
        pieces.append(piece)
        length -= len(piece)
    return b"".join(pieces)
