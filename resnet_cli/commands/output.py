"""Where text leaves the program: its format, the colours and width of stdout."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any, TypeGuard

from resnet_cli.designs.limits import one_of
from resnet_cli.errors import UserError, printable
from resnet_cli.files import whole
from resnet_cli.tables import Answer, Column

FORMATS = ("table", "plain", "json", "csv", "markdown", "latex", "html")
SUFFIXES = {
    ".json": "json", ".csv": "csv", ".md": "markdown", ".markdown": "markdown", ".tex": "latex",
    ".html": "html", ".htm": "html",
}  # fmt: skip

ASCII = str.maketrans({
    "×": "x", "·": "*", "…": "...", "−": "-", "–": "-", "—": "-", "█": "#", "▉": "#", "▊": "#",
    "⌊": "floor(", "⌋": ")", "⌈": "ceil(", "⌉": ")", "√": "sqrt ", "²": "^2", "ⁿ": "^n", "ᵀ": "^T", "₂": "2",
    "Δ": "delta", "Σ": "sum of ", "↔": "<->", "±": "+-", "→": "->", "λ": "lambda", "μ": "mu", "γ": "gamma", "ε": "epsilon", "∂": "d", "∏": "product of ", "‖": "|",
    "▁": "_", "▂": ".", "▃": "-", "▄": "~", "▅": "=", "▆": "+", "▇": "*",
    "┌": "+", "┐": "+", "┘": "+", "├": "+", "┼": "+", "┴": "+", "╌": "-", "┈": ".", "┊": ":", "╮": ".", "╯": "'", "◄": "<",
    "│": "|", "┤": "+", "└": "+", "┬": "+", "░": ".", "▒": ":", "▓": "%", "▚": "x", "▞": "/",
    "■": "#", "□": "+", "▲": "^", "△": "A", "▼": "v", "◆": "*", "○": "0", "●": "o",
    "▋": "#", "▌": "#", "▍": "|", "▎": "|", "▏": "|", "─": "-", "⎡": "/", "⎢": "|", "⎣": "\\", "⎤": "\\", "⎥": "|", "⎦": "/",
})  # fmt: skip


OWN = {"latex": ("caption", "label"), "csv": ("table_key", "notes")}
"""Options that one format alone has."""


def chosen(format: str | None, json: bool, target: str | None, usual: str = "table") -> str:
    """The format that is asked for: by name, else by the suffix of the file to write.

    Raises `UserError` for a format that does not exist, and for two of them.
    """
    if json and format not in (None, "json"):
        raise UserError(f"both --json and --format {format[:40]} given", "give one of them")
    format = "json" if json else format
    if format is not None:
        one_of("format", format, (*dict.fromkeys((usual, *FORMATS)),))
        return format
    return SUFFIXES.get(os.path.splitext(target or "")[1].lower(), usual)


def check_own(format: str, options: dict[str, Any]) -> None:
    """Raises `UserError` for an option that is typed and another format's."""
    for of, names in OWN.items():
        for name in names:
            if format != of and options.get(name) not in (None, False):
                flag = f"--{name.replace('_', '-')}"
                raise UserError(f"{flag} is an option of --format {of}", f"add --format {of}")


def is_file(target: str | None) -> TypeGuard[str]:
    """Whether a file is to be written; ``-`` is stdout."""
    return target not in (None, "-")


def render(answer: Answer, format: str, exact: bool, to_file: bool, **own: Any) -> str:
    """The answer as text, in one of `FORMATS`; ``own`` are options of it."""
    own = {option: own[option] for option in OWN.get(format, ()) if option in own}
    if format not in ("json", "csv"):  # which have escapes of their own
        answer = _clean(answer)
    if format == "table":
        from resnet_cli.render.tables import terminal_table

        text = terminal_table.render(answer, exact, *terminal(to_file))
        if to_file or not _lacks_signs(text):
            return text
        return terminal_table.render(answer, exact, *terminal(to_file), ASCII)
    if format == "plain":
        from resnet_cli.render.tables import plain

        return plain.render(answer, exact)
    if format == "json":
        from resnet_cli.render.tables import data

        return data.as_json(answer)
    if format == "csv":
        from resnet_cli.render.tables import spreadsheet

        return spreadsheet.render(answer, **own)
    if format == "markdown":
        from resnet_cli.render.tables import markdown

        return markdown.render(answer, exact)
    if format == "latex":
        from resnet_cli.render.tables import latex

        return latex.render(answer, exact, **own)
    from resnet_cli.render.tables import html

    return html.render(answer, exact)


def picked(answer: Answer, columns: str) -> Answer:
    """The answer with these columns of its first table alone, `path,kernel,output`, in this order.

    None of them leaves a narrow terminal. Raises `UserError` for one that the table does not have.
    """
    table, *others = answer.tables
    places = {column.key: place for place, column in enumerate(table.columns)}
    keys = [key.strip().replace("-", "_") for key in columns.split(",")]
    for key in keys:
        one_of("column", key, tuple(places))
    chosen = [places[key] for key in dict.fromkeys(keys)]
    table = table._replace(
        columns=[table.columns[place]._replace(drop=0) for place in chosen],
        rows=[[row[place] for place in chosen] for row in table.rows],
        total=table.total and [table.total[place] for place in chosen],
    )
    return answer._replace(tables=[table, *others])


def _clean(answer: Answer) -> Answer:
    """The answer without what a terminal would act upon, in names that came from outside."""
    tables = [
        table._replace(
            title=_texts([table.title])[0],
            columns=[Column(*_texts(column)) for column in table.columns],
            rows=[_texts(row) for row in table.rows],
            total=table.total and _texts(table.total),
        )
        for table in answer.tables
    ]
    return answer._replace(tables=tables, notes=_texts(answer.notes))


def _texts(values: Sequence[Any]) -> list[Any]:
    """The values, with texts made printable."""
    return [
        value if not isinstance(value, str) or value.isprintable() else printable(value, len(value))
        for value in values
    ]


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


def _lacks_signs(text: str) -> bool:
    """Whether stdout cannot write the text as it is."""
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return True
    return False


def unwritable(problem: OSError) -> UserError:
    """The error for a stdout that takes nothing, such as one that leads to a full disk."""
    return UserError(
        f"cannot write to stdout: {problem.strerror}", "send it where there is room", 1
    )


def send(text: str, target: str | None) -> None:
    """Writes to stdout, or to a file that appears whole or not at all.

    Raises `UserError` (exit 1) when the file cannot be written.
    """
    if not is_file(target):
        if _lacks_signs(text):
            encoding = sys.stdout.encoding or "utf-8"
            text = text.translate(ASCII).encode(encoding, "replace").decode(encoding)
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except OSError as problem:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is left must not fail once more
            if not isinstance(
                problem, BrokenPipeError
            ):  # the reader, such as head, has seen enough
                raise unwritable(problem) from None
        return
    with whole(target) as path, open(path, "w", encoding="utf-8") as file:
        file.write(text)
