"""Markdown and LaTeX tables."""

from __future__ import annotations

import re

from resnet_cli.render.tables.numbers import LEFT, texts
from resnet_cli.tables import Answer, Table

LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "⌊": r"$\lfloor$", "⌋": r"$\rfloor$", "⌈": r"$\lceil$", "⌉": r"$\rceil$", "√": r"$\surd$",
    "²": r"$^2$", "ⁿ": r"$^n$", "₂": r"$_2$", "Δ": r"$\Delta$", "→": r"$\to$", "λ": r"$\lambda$", "μ": r"$\mu$", "γ": r"$\gamma$",
    "∂": r"$\partial$", "∏": r"$\prod$", "‖": r"$\Vert$", "–": "--", "…": r"\ldots{}",
    "×": r"$\times$", "·": r"$\cdot$", "−": "--",
}  # fmt: skip


def _rows(table: Table, exact: bool) -> list[list[str]]:
    rows = [*table.rows, *([table.total] if table.total else [])]
    return texts(list(table.columns), rows, exact)


LINK = re.compile(r"://|www\.|@", re.IGNORECASE)
"""What GitHub makes a link of by itself: no backslash hinders it, a code span does."""
ACTS = re.compile(r"[\\`*~$]|\](?=[(\[:])|(?<![^\W_])_|_(?![^\W_])")
"""What Markdown acts upon; brackets alone and a low line within a word it shows."""
ANY = re.compile(f"{LINK.pattern}|[&<]|{ACTS.pattern}", re.IGNORECASE)
BEGINS = re.compile(r"^(?:(?=[#>+=-])|(\d+)(?=[.)](?:\s|$)))")
"""Where a paragraph would be a heading, a quote or a list."""


def literal(text: str) -> str:
    """The text as Markdown that shows it as it is: no link, image or HTML in a name is live."""
    return " ".join(map(_word, text.split(" "))) if ANY.search(text) else text


def _word(word: str) -> str:
    if LINK.search(word):
        return "`" + re.sub(r"[\\`|\]]", "?", word) + "`"
    word = re.sub(r"&(?=[#\w])", "&amp;", word).replace("<", "&lt;")
    return ACTS.sub(r"\\\g<0>", word)


def markdown(answer: Answer, exact: bool) -> str:
    """A pipe table for each table, then the notes."""
    parts = []
    for table in answer.tables:
        ends = ["---" if c.kind in LEFT else "---:" for c in table.columns]
        lines = [[c.title for c in table.columns], ends, *_rows(table, exact)]
        rows = [
            "| " + " | ".join(literal(text).replace("|", "\\|") for text in line) + " |"
            for line in lines
        ]
        parts.append("\n".join(([f"**{literal(table.title)}**", ""] if table.title else []) + rows))
    notes = (BEGINS.sub(r"\1\\", literal(note)) for note in answer.notes)
    return "\n\n".join([*parts, *notes]) + "\n"


def latex(answer: Answer, exact: bool) -> str:
    """A tabular for each table, with the notes below it as comments."""

    def escape(text: str) -> str:
        return "".join(LATEX.get(c, c) for c in text)

    lines: list[str] = []
    for table in answer.tables:
        if table.title:
            lines.append(f"% {table.title}")
        ends = "".join("l" if c.kind in LEFT else "r" for c in table.columns)
        body = _rows(table, exact)
        rows = [[c.title for c in table.columns], *body]
        texts_ = [" & ".join(map(escape, row)) + r" \\" for row in rows]
        texts_.insert(1, r"\hline")
        if table.total:
            texts_.insert(-1, r"\hline")
        lines += [rf"\begin{{tabular}}{{{ends}}}", *texts_, r"\end{tabular}"]
    return "\n".join([*lines, *(f"% {note}" for note in answer.notes)]) + "\n"
