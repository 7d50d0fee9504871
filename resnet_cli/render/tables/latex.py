"""LaTeX: tables that a paper takes as they are, each as wide as its text at most.

LaTeX itself says how wide a table is only once it is set. So widths are added up here, from those of
Computer Modern's letters; other text fonts are about as wide, or narrower.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from resnet_cli.errors import UserError
from resnet_cli.render.tables.latex_text import breakable, literal, pieces, width
from resnet_cli.render.tables.numbers import LEFT, cell
from resnet_cli.tables import Answer, Column, Run, Stack, Table

TEXTWIDTH = 345.0
"""Points, of an article at 10 pt."""
TALLEST = 505.0
"""Of a table on one page, notes among it: that of an article has 550, a caption and its gaps take 30."""


class Size(NamedTuple):
    """A size of text: LaTeX's name, points from line to line, and points of an em of `EMS`."""

    name: str
    leading: float
    em: float


SIZES = (
    Size("normalsize", 12, 10), Size("small", 11, 9.26), Size("footnotesize", 9.5, 8.51),
)  # fmt: skip
"""In an article at 10 pt; the smaller the letters, the wider for their height."""

GAP = 12.0
"""Points between two columns."""
BRACKETS = 1.7
"""Ems of a tall bracket's two sides and what is around them."""
WRAPS = {*LEFT} - {"numbers"}
"""Kinds of columns whose lines may be broken."""
NARROW = 9.0
"""What a column of texts has at least before a table is parted, where they are as long."""
CAPTIONS = {
    "list": "Networks", "table": "Architectures", "compare": "Side by side", "summary": "Architecture of {}",
    "flops": "Cost of {}", "memory": "Memory of {}", "receptive-field": "Receptive fields of {}",
    "features": "Feature maps of {}", "paths": "Paths through {}", "verify": "Counts by independent routes",
    "gradient": "Gradients at the input of the blocks, as initialised",
}  # fmt: skip
"""Of an answer's first table, by command; its title where there is none."""


# what stands in a cell


class Cell(NamedTuple):
    """A cell as LaTeX: on one line, or one for each part, so many ems across.

    ``broken`` is the same for a column that breaks its lines, ``least`` ems wide at the least.
    """

    tex: str = ""
    ems: float = 0
    lines: int = 1
    broken: str = ""
    least: float = 0


@lru_cache(10_000)
def _text(text: str) -> Cell:
    least = max((width(part.rstrip()) for part in pieces(text)), default=0)
    return Cell(literal(text), width(text), 1, breakable(text), least)


def _run(run: Run) -> Cell:
    """A block in one bracket of several lines, as the papers print it."""
    if len(run.lines) < 2:
        return _text(str(run))
    lines = r" \\ ".join(rf"\mbox{{{literal(line)}}}" for line in run.lines)
    bracket = rf"\left[\begin{{array}}{{@{{}}l@{{}}}}{lines}\end{{array}}\right]"
    times = "" if run.times is None else rf" \times {run.times}"
    tex = f"${bracket}{times}$" + literal(f", {run.beside}" if run.beside else "")
    ems = max(map(width, run.lines)) + width(run.tail) + BRACKETS
    return Cell(tex, ems, len(run.lines), tex, ems)


def _part(part: str | Run) -> Cell:
    return _run(part) if isinstance(part, Run) else _text(part)


def _stack(parts: Sequence[str | Run]) -> Cell:
    """The parts below one another."""
    cells = [_part(part) for part in parts] or [Cell()]
    tex = r" \\ ".join(each.tex for each in cells)
    return Cell(
        tex if len(cells) < 2 else rf"\begin{{tabular}}{{@{{}}l@{{}}}}{tex}\end{{tabular}}",
        max(each.ems for each in cells),
        sum(each.lines for each in cells),
        r" \newline ".join(each.broken for each in cells),
        max(each.least for each in cells),
    )


def _cell(column: Column, value: Any, exact: bool, tall: bool) -> Cell:
    if isinstance(value, Stack) and (tall or column.kind == "mixed"):
        return _stack(value.parts)
    text = cell(column, value, exact)
    if column.kind not in LEFT and text.startswith("-"):
        text = "−" + text[1:]
    return _text(text)


class Line(NamedTuple):
    """A row: its cells, or what the networks side by side in it ``share``; ``ruled`` off from those above."""

    cells: list[Cell]
    share: Cell | None = None
    ruled: bool = False


class Grid(NamedTuple):
    """A table's columns with its rows."""

    columns: list[Column]
    lines: list[Line]

    def only(self, kept: Sequence[int]) -> Grid:
        """These of the columns, without stages that none of the networks in them has."""
        cut = [line._replace(cells=[line.cells[at] for at in kept]) for line in self.lines]
        beside = _beside(self.columns)
        there = [at for at, column in enumerate(kept) if column in beside]
        lines = [
            line
            for line in cut
            if not there or line.share or any(line.cells[at].tex for at in there)
        ]
        return Grid([self.columns[at] for at in kept], lines)


def grid(table: Table, exact: bool, tall: bool) -> Grid:
    """What is not drawn of the table, with ``tall`` brackets of a line for each layer, or flat ones.

    What all networks side by side begin a stage with stands once, across their columns (He et al.
    2015, Table 1).
    """
    kept = [at for at, column in enumerate(table.columns) if column.kind not in ("bar", "line")]
    columns = [table.columns[at] for at in kept]
    beside = _beside(columns)
    lines: list[Line] = []
    stacked = False
    for row in table.rows:
        values = [row[at] for at in kept]
        stacks = [values[at].parts for at in beside if isinstance(values[at], Stack)]
        while beside and len(stacks) == len(beside) and len({parts[:1] for parts in stacks}) == 1:
            if not stacks[0]:
                break
            cells = [_cell(c, v, exact, tall) for c, v in zip(columns, values, strict=True)]
            for at in beside:
                cells[at] = Cell()
            lines.append(Line(cells, _part(stacks[0][0])))
            stacks = [parts[1:] for parts in stacks]
            values = [
                Stack(stacks[beside.index(at)]) if at in beside else None for at in range(len(kept))
            ]
        if beside and stacks and not any(stacks):
            continue
        cells = [_cell(c, v, exact, tall) for c, v in zip(columns, values, strict=True)]
        lines.append(Line(cells, ruled=stacked and not stacks))
        stacked = bool(stacks)
    if table.total:
        values = [table.total[at] for at in kept]
        cells = [_cell(c, v, exact, tall) for c, v in zip(columns, values, strict=True)]
        lines.append(Line(cells, ruled=True))
    return Grid(columns, lines)


def _beside(columns: Sequence[Column]) -> list[int]:
    """The columns of networks side by side; none where it is one."""
    mixed = [at for at, column in enumerate(columns) if column.kind == "mixed"]
    return mixed if len(mixed) > 1 else []


# how wide the columns are


class Laid(NamedTuple):
    """Columns that fit as LaTeX: the size of text, how each is aligned or how wide it is, head and rows.

    ``high`` is in points.
    """

    size: Size
    ends: str
    head: str
    rows: list[str]
    high: float


def laid(grid: Grid, size: Size, broken_heads: bool, wrapped: bool) -> Laid | None:
    """The grid at this size of text, with heads and texts that may be broken; None if it is too wide."""
    em, columns = size.em, grid.columns
    room = TEXTWIDTH - GAP * (len(columns) - 1)
    natural, least = [], []
    for at, column in enumerate(columns):
        head, cells = _text(column.title), [line.cells[at] for line in grid.lines]
        body = max((each.ems for each in cells), default=0)
        natural.append(em * max(body, head.least if broken_heads else head.ems))
        words = max([head.least, min(body, NARROW), *(each.least for each in cells)])
        least.append(em * words if column.kind in WRAPS else natural[-1])
    beside = _beside(columns)
    for line in grid.lines:
        if line.share:
            there = sum(natural[at] for at in beside) + GAP * (len(beside) - 1)
            natural[beside[-1]] += max(line.share.ems * em - there, 0)
    widths = _narrowed(natural, least, room) if wrapped else natural
    if widths is None or sum(widths) > room:
        return None
    cut = [wide < whole for wide, whole in zip(widths, natural, strict=True)]
    tall = any(each.lines > 1 for line in grid.lines for each in line.cells)
    ends = [_end(column, bool(beside)) for column in columns]
    head_cells = [
        breakable(column.title) if narrow else _head(column.title, end, wide / em)
        for column, narrow, end, wide in zip(columns, cut, ends, widths, strict=True)
    ]
    ends = [
        rf">{{\raggedright\arraybackslash}}{'m' if tall else 'p'}{{{wide:.1f}pt}}"
        if narrow
        else end
        for narrow, end, wide in zip(cut, ends, widths, strict=True)
    ]
    rows: list[str] = []
    high, one_line = 3 * size.leading, True
    for line in grid.lines:
        texts = [
            each.broken if narrow else each.tex
            for each, narrow in zip(line.cells, cut, strict=True)
        ]
        if line.share:
            texts = [
                *texts[: beside[0]],
                rf"\multicolumn{{{len(beside)}}}{{c}}{{{line.share.tex}}}",
            ]
        lines = [
            each.lines if not narrow else max(each.lines, int(each.ems * em / wide * 1.2) + 1)
            for each, narrow, wide in zip(line.cells, cut, widths, strict=True)
        ]
        text = " & ".join(texts) + r" \\"
        spaced = rows and (max(lines) > 1 or one_line is False)
        one_line = max(lines) < 2
        above = "\\midrule\n" if line.ruled else "\\addlinespace[3pt]\n" if spaced else ""
        rows.append(above + text)
        high += max(lines) * size.leading + (3 if above else 0)
    return Laid(size, "".join(ends), " & ".join(head_cells) + r" \\", rows, high)


def _end(column: Column, beside: bool) -> str:
    if column.kind == "mixed" and beside:
        return "c"
    return "l" if column.kind in LEFT else "r"


def _narrowed(natural: list[float], least: list[float], room: float) -> list[float] | None:
    """The widths with the widest cut to one level, so that all fit; None if they cannot."""
    if sum(least) > room:
        return None

    def cut(level: float) -> list[float]:
        return [max(one, min(whole, level)) for one, whole in zip(least, natural, strict=True)]

    low, high = 0.0, max(natural)
    for _ in range(30):
        level = (low + high) / 2
        low, high = (level, high) if sum(cut(level)) <= room else (low, level)
    return cut(low)


def _head(title: str, end: str, ems: float) -> str:
    """A column's title, on as many lines as the column's width asks for."""
    lines: list[str] = []
    for part in pieces(title):
        if lines and width((lines[-1] + part).rstrip()) <= ems + 0.01:
            lines[-1] += part
        else:
            lines.append(part)
    if len(lines) < 2:
        return literal(title)
    inner = r" \\ ".join(literal(line.rstrip()) for line in lines)
    return rf"\begin{{tabular}}[b]{{@{{}}{end}@{{}}}}{inner}\end{{tabular}}"


def parts(table: Table, exact: bool, sizes: Sequence[Size]) -> list[Laid]:
    """The table as it fits: flat brackets before tall ones, unbroken lines before broken ones, large
    text before small, few broken lines before many; else in several parts that begin with the same column."""
    flat, tall = grid(table, exact, tall=False), grid(table, exact, tall=True)
    for shown, broken_heads in ((flat, False), (flat, True), (tall, True)):
        for size in sizes:
            whole = laid(shown, size, broken_heads, wrapped=False)
            if whole:
                return [whole]
    wrapped = [laid(tall, size, broken_heads=True, wrapped=True) for size in sizes[1:] or sizes]
    fitting = [whole for whole in wrapped if whole]
    if fitting:
        return [min(fitting, key=lambda whole: round(whole.high / whole.size.leading))]
    return _parted(tall, sizes)


def _parted(grid: Grid, sizes: Sequence[Size]) -> list[Laid]:
    """The fewest parts, of about as many columns each, at the largest size that allows as few."""
    most = len(grid.columns) - 1
    for number in range(2, most + 1):
        each = -(-most // number)
        groups = [[0, *range(at, min(at + each, most + 1))] for at in range(1, most + 1, each)]
        for size in sizes:
            made = _all(grid, groups, size)
            if made:
                return made
    return _all(grid, [[at] for at in range(most + 1)], sizes[-1])


def _all(grid: Grid, groups: Sequence[Sequence[int]], size: Size) -> list[Laid]:
    """Each of these columns as a table; none where one is too wide."""
    made: list[Laid] = []
    for group in groups:
        part = laid(grid.only(group), size, True, True)
        if part is None:
            return []
        made.append(part)
    return made


# what stands around them


def render(
    answer: Answer, exact: bool, caption: str | None = None, label: str | None = None
) -> str:
    """A float for each table, or one over several pages where it is long; the notes below the first.

    ``caption`` and ``label`` are the first table's. Raises `UserError` for a label that LaTeX could
    take for something else.
    """
    if label is not None and not re.fullmatch(r"[A-Za-z0-9:._/+-]{1,80}", label):
        what = f"--label {label[:40]!r} is not letters, digits and :._/+- alone"
        raise UserError(what, "type it as --label tab:cost")
    label = label or _label(answer)
    first, *others = answer.tables
    text = _caption(answer) if caption is None else caption
    blocks = [_block(first, exact, text, label, answer.notes)]
    for table in others:
        text = table.title or f"{_caption(answer)}: {table.key}"
        blocks.append(_block(table, exact, text, f"{label}-{_slug(table.key)}"))
    body = "\n".join(blocks)
    packages = {"booktabs": r"\toprule", "array": r"\arraybackslash", "longtable": "{longtable}"}
    used = ",".join(name for name, sign in packages.items() if sign in body)
    return f"% in the preamble: \\usepackage{{{used}}}\n{body}"


def _caption(answer: Answer) -> str:
    command = answer.envelope["command"]
    return CAPTIONS.get(command, "{}").format(answer.tables[0].title or command)


def _label(answer: Answer) -> str:
    about = [answer.envelope["command"], answer.envelope.get("model")]
    return "tab:" + "-".join(_slug(part) for part in about if part)


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", text[:60]).strip("-")


def _block(table: Table, exact: bool, caption: str, label: str, notes: Sequence[str] = ()) -> str:
    """The table with its caption and label, and notes below it."""
    small = SIZES[-1]
    beneath = sum((int(width(note) * small.em / TEXTWIDTH) + 1) * small.leading for note in notes)
    for sizes in (SIZES, SIZES[-1:]):
        made = parts(table, exact, sizes)
        long = sum(part.high for part in made) + beneath > TALLEST
        if not long:
            break
    below = "\\par\n".join(map(breakable, notes))
    if below:
        below = f"{{\\footnotesize\\raggedright\\noindent\n{below}\\par}}\n"
    return (_long if long else _floating)(made, breakable(caption), label, below)


def _floating(made: list[Laid], caption: str, label: str, below: str) -> str:
    lines = [r"\begin{table}[htbp]", r"\centering", rf"\caption{{{caption}}}\label{{{label}}}"]
    for at, part in enumerate(made):
        lines += [r"\par\medskip"] * bool(at)
        lines += [
            rf"\{part.size.name}",
            rf"\begin{{tabular}}{{@{{}}{part.ends}@{{}}}}",
            r"\toprule",
        ]
        lines += [part.head, r"\midrule", *part.rows, r"\bottomrule", r"\end{tabular}"]
    if below:
        lines += [r"\par\medskip", below.rstrip()]
    return "\n".join([*lines, r"\end{table}"]) + "\n"


def _long(made: list[Laid], caption: str, label: str, below: str) -> str:
    """A table that goes over pages, its head on each of them."""
    lines: list[str] = []
    for at, part in enumerate(made):
        first = (
            rf"\caption{{{caption}}}\label{{{label}}} \\"
            if not at
            else rf"\caption*{{{caption} (continued)}} \\"
        )
        head = [r"\toprule", part.head, r"\midrule"]
        lines += [
            rf"{{\{part.size.name}", r"\setlength{\LTcapwidth}{\textwidth}", rf"\begin{{longtable}}{{@{{}}{part.ends}@{{}}}}",
            first, *head, r"\endfirsthead", *head, r"\endhead", r"\bottomrule", r"\endlastfoot",
            *part.rows, r"\end{longtable}}",
        ]  # fmt: skip
    return "\n".join(lines) + "\n" + below
