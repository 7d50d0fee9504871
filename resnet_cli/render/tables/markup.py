"""Markdown and LaTeX tables."""

from __future__ import annotations

from resnet_cli.render.tables.numbers import LEFT, texts
from resnet_cli.tables import Answer, Table

LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "⌊": r"$\lfloor$", "⌋": r"$\rfloor$", "⌈": r"$\lceil$", "⌉": r"$\rceil$", "√": r"$\surd$",
    "²": r"$^2$", "ⁿ": r"$^n$", "₂": r"$_2$", "λ": r"$\lambda$", "μ": r"$\mu$", "γ": r"$\gamma$",
    "∂": r"$\partial$", "∏": r"$\prod$", "‖": r"$\Vert$", "–": "--", "…": r"\ldots{}",
    "×": r"$\times$", "·": r"$\cdot$", "−": "--",
}  # fmt: skip


def _rows(table: Table, exact: bool) -> list[list[str]]:
    rows = [*table.rows, *([table.total] if table.total else [])]
    return texts(list(table.columns), rows, exact)


def markdown(answer: Answer, exact: bool) -> str:
    """A pipe table each, then the notes."""
    parts = []
    for table in answer.tables:
        ends = ["---" if c.kind in LEFT else "---:" for c in table.columns]
        lines = [[c.title for c in table.columns], ends, *_rows(table, exact)]
        rows = [
            "| " + " | ".join(t.replace("|", "\\|").replace("<", "&lt;") for t in line) + " |"
            for line in lines
        ]
        parts.append(
            "\n".join(
                ([f"**{table.title.replace('<', '&lt;')}**", ""] if table.title else []) + rows
            )
        )
    return "\n\n".join([*parts, *answer.notes]) + "\n"


def latex(answer: Answer, exact: bool) -> str:
    """A tabular each, with the notes below it as comments."""

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
