"""Files: regular ones are read, and what is written appears whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

from resnet_cli import signals
from resnet_cli.errors import UserError

AT_ONCE = getattr(os, "O_NONBLOCK", 0)
"""Opens without waiting for the other end of a pipe; Windows has no such flag."""
MOST_SUFFIX = 32
UNFINISHED = ".resnet-cli-"
"""What the name of a file begins with that is not whole yet."""


def opened(path: str, hint: str) -> tuple[BinaryIO, int]:
    """A regular file, open for reading without a buffer, and its size in bytes.

    Raises `UserError` (exit 1), a predicate of the path, for all else; a pipe or a device is never
    opened, as reading it could wait for ever.
    """
    try:
        mode = os.stat(path).st_mode
        if stat.S_ISDIR(mode):
            raise UserError("is a directory", hint, 1)
        if not stat.S_ISREG(mode):
            raise UserError("is not a regular file", hint, 1)
        number = os.open(path, os.O_RDONLY | AT_ONCE | getattr(os, "O_BINARY", 0))
        return open(number, "rb", buffering=0), os.fstat(number).st_size
    except (OSError, ValueError) as problem:
        raise UserError(f"cannot be read: {_reason(problem)}", hint, 1) from None


def content(path: str, most: int, hint: str) -> bytes:
    """All bytes of a small regular file.

    Raises `UserError` (exit 1), a predicate of the path, for one of over ``most`` bytes and for what
    cannot be read.
    """
    file, _ = opened(path, hint)
    with file:
        try:
            read = part(file, 0, most + 1)
        except OSError as problem:
            raise UserError(f"cannot be read: {problem.strerror}", hint, 1) from None
    if len(read) > most:
        raise UserError(f"is over {most >> 10:,} KiB, too large for what is wanted here", hint, 1)
    return read


def part(file: BinaryIO, start: int, length: int) -> bytes:
    """`length` bytes from `start`, fewer where the file ends."""
    file.seek(start)
    pieces = []
    while length > 0 and (piece := file.read(length)):  # one read may give less than was asked
        pieces.append(piece)
        length -= len(piece)
    return b"".join(pieces)


@contextmanager
def whole(target: str) -> Iterator[str]:
    """A path with the target's suffix to write to; its content becomes the target's if all went well.

    A link stays one and its file is written; a file keeps its mode and, where that is allowed, its
    owner; a device or a pipe is written into. Raises `UserError` (exit 1) when the target cannot be
    written.
    """
    with _told(target):
        place, before, streams = _place(target)
        with _new(place, streams, 0o600 if before else 0o666) as path:
            kept = before or os.stat(path)
            yield path
            if streams:
                _pour(path, target)
            else:
                _own(path, kept)
                os.replace(path, place)


def append(target: str, text: str) -> None:
    """Adds to the end of a regular file, which is made where there is none.

    Raises `UserError` (exit 1) when that cannot be done.
    """
    with _told(target):
        _, _, streams = _place(target)
        if streams:
            raise OSError(errno.EINVAL, "is not a regular file")
        number = os.open(target, os.O_WRONLY | os.O_APPEND | os.O_CREAT | AT_ONCE, 0o666)
        with open(number, "w", encoding="utf-8") as file:
            file.write(text)


def check_writable(target: str) -> None:
    """Raises `UserError` (exit 1) for a file that could not be written once the work is done."""
    with _told(target):
        place, _, streams = _place(target)
        if not streams:
            with _new(place, streams, 0o600):
                return
        if not os.access(target, os.W_OK):
            raise PermissionError(errno.EACCES, "permission denied")


@contextmanager
def _told(target: str) -> Iterator[None]:
    """What the system says against writing the target, as the error that a user reads."""
    try:
        yield
    except OSError as problem:
        what = f"cannot write {target!r}: {_reason(problem)}"
        raise UserError(what, "give a path in a folder you may write to", 1) from None


def _reason(problem: OSError | ValueError) -> str:
    """Why a file cannot be had; a ValueError is about its name, such as a null byte in it."""
    return getattr(problem, "strerror", None) or str(problem)


def _place(target: str) -> tuple[str, os.stat_result | None, bool]:
    """The path behind links, what is there already, and whether that is a device or a pipe.

    Raises `OSError` for what is no file, and for a link that the system does not follow because
    another user laid it into a shared folder.
    """
    if not target:
        raise FileNotFoundError(errno.ENOENT, "no file named")
    try:
        before = os.stat(target)
    except FileNotFoundError:
        return os.path.realpath(target), None, False
    except ValueError as problem:
        raise OSError(errno.EINVAL, str(problem)) from None
    if stat.S_ISDIR(before.st_mode):
        raise IsADirectoryError(errno.EISDIR, "is a directory")
    if stat.S_ISSOCK(before.st_mode):
        raise OSError(errno.ENXIO, "is a socket")
    return os.path.realpath(target), before, not stat.S_ISREG(before.st_mode)


@contextmanager
def _new(place: str, elsewhere: bool, mode: int) -> Iterator[str]:
    """An empty file beside the place, or where temporary files go; gone in the end unless moved.

    Its name cannot be guessed, and is refused if it is there already: no link is followed.
    """
    folder, suffix = os.path.dirname(place), os.path.splitext(place)[1]
    if elsewhere:
        from tempfile import gettempdir  # takes milliseconds to load

        folder = gettempdir()
    path = os.path.join(folder, f"{UNFINISHED}{os.urandom(8).hex()}{suffix[:MOST_SUFFIX]}")
    signals.unfinished.add(path)
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode))
        yield path
    finally:
        with suppress(OSError):
            os.unlink(path)
        signals.unfinished.discard(path)


def _own(path: str, kept: os.stat_result) -> None:
    """Gives a file the mode of another and, as far as that is allowed, its owner."""
    if hasattr(os, "chown"):
        for user in (kept.st_uid, -1):  # the group alone, where the user is not to be had
            with suppress(PermissionError):
                os.chown(path, user, kept.st_gid)
                break
    os.chmod(path, kept.st_mode & 0o777)


def _pour(path: str, target: str) -> None:
    """Writes a file's content into a device or a pipe, which must have a reader."""
    from shutil import copyfileobj

    try:
        out = os.open(target, os.O_WRONLY | AT_ONCE | getattr(os, "O_NOCTTY", 0))
    except OSError as problem:
        if problem.errno != errno.ENXIO:
            raise
        raise OSError(errno.ENXIO, "nothing reads from it") from None
    with open(out, "wb") as opened, open(path, "rb") as made:
        if AT_ONCE:
            os.set_blocking(out, True)  # a reader may take its time
        copyfileobj(made, opened)
