"""Where text leaves the program: formats, colours and widths of stdout, files written whole."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from resnet_cli.errors import UserError
from resnet_cli.tables import Answer

FORMATS = ("table", "plain", "json", "csv", "markdown", "latex", "html")

ASCII = str.maketrans({
    "×": "x", "·": "*", "…": "...", "−": "-", "–": "-", "—": "-", "█": "#", "▉": "#", "▊": "#",
    "⌊": "floor(", "⌋": ")", "⌈": "ceil(", "⌉": ")", "√": "sqrt ", "²": "^2", "ⁿ": "^n", "₂": "2",
    "λ": "lambda", "μ": "mu", "γ": "gamma", "∂": "d", "∏": "product of ", "‖": "|",
    "▁": "_", "▂": ".", "▃": "-", "▄": "~", "▅": "=", "▆": "+", "▇": "*",
    "┌": "+", "┐": "+", "┘": "+", "├": "+", "┈": ".", "┊": ":", "╮": ".", "╯": "'", "◄": "<",
    "│": "|", "┤": "+", "└": "+", "┬": "+", "░": ".", "▒": ":", "▓": "%", "▚": "x", "▞": "/",
    "■": "#", "□": "+", "▲": "^", "△": "A", "▼": "v", "◆": "*", "○": "0", "●": "o",
    "▋": "#", "▌": "#", "▍": "|", "▎": "|", "▏": "|", "─": "-", "⎡": "[", "⎢": "|", "⎣": "[", "⎤": "]", "⎥": "|", "⎦": "]",
})  # fmt: skip


def render(answer: Answer, format: str, exact: bool, to_file: bool) -> str:
    """The answer as text. Raises `UserError` for a format that does not exist."""
    if format == "table":
        from resnet_cli.render.tables import rich_table

        return rich_table.render(answer, exact, *terminal(to_file))
    if format == "plain":
        from resnet_cli.render.tables import plain

        return plain.render(answer, exact)
    if format in ("json", "csv"):
        from resnet_cli.render.tables import data

        return data.as_json(answer) if format == "json" else data.as_csv(answer)
    if format in ("markdown", "latex"):
        from resnet_cli.render.tables import markup

        return (markup.markdown if format == "markdown" else markup.latex)(answer, exact)
    if format == "html":
        from resnet_cli.render.tables import html

        return html.render(answer, exact)
    raise UserError(f"no format named {format[:40]!r}", f"allowed: {', '.join(FORMATS)}")


def terminal(to_file: bool) -> tuple[int | None, bool]:
    """Width (None: as wide as the content) and whether to colour."""
    if to_file:
        return None, False
    columns = os.environ.get("COLUMNS", "")
    is_terminal = sys.stdout.isatty()
    color = is_terminal and os.environ.get("TERM") != "dumb"
    color = (color or bool(os.environ.get("FORCE_COLOR"))) and not os.environ.get("NO_COLOR")
    if columns.isdecimal() and 0 < int(columns) < 10_000:
        return int(columns), color
    return (os.get_terminal_size(sys.stdout.fileno()).columns if is_terminal else None), color


def send(text: str, target: str | None) -> None:
    """Writes to stdout, or to a file that appears whole or not at all.

    Raises `UserError` (exit 1) when the file cannot be written.
    """
    if target is None:
        encoding = sys.stdout.encoding or "utf-8"
        try:
            text.encode(encoding)
        except UnicodeEncodeError:
            text = text.translate(ASCII).encode(encoding, "replace").decode(encoding)
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except BrokenPipeError:
            raise  # the reader has seen enough
        except OSError as problem:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is left must not fail once more
            raise UserError(f"cannot write to stdout: {problem.strerror}", code=1) from None
        return
    with whole(target) as beside:
        Path(beside).write_text(text, encoding="utf-8")


@contextmanager
def whole(target: str) -> Iterator[str]:
    """A path to write to; what is there becomes the target's content when all went well.

    A file's links and mode stay as they are; a device or pipe is written into. Raises `UserError`
    (exit 1) when the target cannot be written.
    """
    beside = None
    try:
        if not target:
            raise FileNotFoundError(2, "no file named")
        path = Path(os.path.realpath(target))
        if os.path.isdir(target):
            raise IsADirectoryError(21, "is a directory")
        special = os.path.exists(target) and not os.path.isfile(target)
        folder = Path(tempfile.gettempdir()) if special else path.parent
        beside = folder / f"{path.stem}.part{os.getpid()}{path.suffix}"
        yield str(beside)
        if beside.exists() and special:
            with beside.open("rb") as made, open(target, "wb") as opened:
                shutil.copyfileobj(made, opened)
        elif beside.exists():
            if path.exists():
                shutil.copymode(path, beside)
            beside.replace(path)
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or str(problem)
        raise UserError(
            f"cannot write {target!r}: {reason}", "give a path in a folder you may write to", 1
        ) from None
    finally:
        if beside is not None:
            with suppress(OSError, ValueError):
                beside.unlink(missing_ok=True)


def check_writable(target: str) -> None:
    """Raises `UserError` (exit 1) for a file that could not be written once the work is done."""
    with whole(target) as beside:
        Path(beside).touch()
        Path(beside).unlink()
