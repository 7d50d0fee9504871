"""How pictures leave the program: the format by name or suffix, the bytes to a file or to stdout."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from resnet_cli import files
from resnet_cli.commands import output
from resnet_cli.designs.limits import one_of
from resnet_cli.errors import UserError, did_you_mean

BINARY = ("png", "pdf")
SVG_PNG_PDF = {".svg": "svg", ".png": "png", ".pdf": "pdf"}


def chosen(
    format: str | None, target: str | None, suffixes: Mapping[str, str], formats: Sequence[str]
) -> str:
    """The format that is typed, else that of the file's suffix; the first is text, for stdout and .txt.

    Raises `UserError` for a format that is not among them, and a suffix that stands for none.
    """
    if format is not None:
        one_of("format", format, formats)
        return format
    if not output.is_file(target):
        return formats[0]
    suffix = Path(target).suffix.lower()
    if suffix not in (*suffixes, ".txt"):
        guess = did_you_mean(suffix, suffixes) if suffix else ""
        allowed = f"give one of {', '.join(suffixes)}, or --format"
        raise UserError(
            f"{target!r} has no suffix that says what to draw",
            f"{guess}? {allowed}" if guess else allowed,
        )
    return suffixes.get(suffix, formats[0])


def refuse_for_text(format: str, **options: object) -> None:
    """Raises `UserError` for an option that only a picture has, where text is written."""
    for name, value in options.items():
        if value:
            what = f"--{name} is for a picture, and the format is {format}"
            raise UserError(what, "leave it out, or write a picture: -o FILE.svg")


def check(format: str, target: str | None) -> None:
    """Refuses before the work what could not be written after it."""
    if output.is_file(target):
        files.check_writable(target)
    elif format in BINARY and sys.stdout.isatty():
        raise UserError(
            f"a {format.upper()} is nothing to read in a terminal",
            f"add -o FILE.{format}, or send it on with > or |",
        )


def send(picture: bytes | str, target: str | None) -> None:
    """Writes it to stdout, or to a file that appears whole or not at all.

    Raises `UserError` (exit 1) when it cannot be written.
    """
    if isinstance(picture, str):
        output.send(picture, target)
    elif output.is_file(target):
        with files.whole(target) as beside:
            Path(beside).write_bytes(picture)
    else:
        _to_stdout(picture)


def _to_stdout(picture: bytes) -> None:
    try:
        sys.stdout.buffer.write(picture)
        sys.stdout.buffer.flush()
    except OSError as problem:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is left must not fail once more
        if not isinstance(problem, BrokenPipeError):  # the reader has seen enough
            raise output.unwritable(problem) from None
