"""Where text leaves the program: formats, colours and widths of stdout, files written whole."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from resnet_cli.errors import UserError
from resnet_cli.table import Answer

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
        from resnet_cli.render import rich_table

        return rich_table.render(answer, exact, *terminal(to_file))
    if format == "plain":
        from resnet_cli.render import plain

        return plain.render(answer, exact)
    if format in ("json", "csv"):
        from resnet_cli.render import data

        return data.as_json(answer) if format == "json" else data.as_csv(answer)
    if format in ("markdown", "latex"):
        from resnet_cli.render import markup

        return (markup.markdown if format == "markdown" else markup.latex)(answer, exact)
    if format == "html":
        from resnet_cli.render import html

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
        sys.stdout.write(text)
        return
    with whole(target) as beside:
        Path(beside).write_text(text, encoding="utf-8")


@contextmanager
def whole(target: str) -> Iterator[str]:
    """A path beside the target to write to; it becomes the target when all went well.

    Raises `UserError` (exit 1) when the file cannot be written.
    """
    path = Path(target)
    beside = path.with_name(f"{path.stem}.part{os.getpid()}{path.suffix}")
    try:
        if path.is_dir():
            raise IsADirectoryError(21, "is a directory")
        yield str(beside)
        if beside.exists():
            beside.replace(path)
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or str(problem)
        raise UserError(
            f"cannot write {target!r}: {reason}", "give a path in a folder you may write to", 1
        ) from None
    finally:
        with suppress(OSError, ValueError):
            beside.unlink(missing_ok=True)


def check_writable(target: str) -> None:
    """Raises `UserError` (exit 1) for a file that could not be written once the work is done."""
    with whole(target) as beside:
        Path(beside).touch()
        Path(beside).unlink()
