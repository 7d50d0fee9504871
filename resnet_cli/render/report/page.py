"""All that is known of networks on one page: a file without requests, with its own style and script.

Without the script it is the same page, whose levels still switch; rows are then not marked or sorted.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from resnet_cli.charts import Chart
from resnet_cli.drawings import Drawing
from resnet_cli.render.charts.chart_style import STYLES
from resnet_cli.render.charts.svg_chart import svg as svg_chart
from resnet_cli.render.drawings import layout
from resnet_cli.render.drawings.svg import svg
from resnet_cli.render.tables import html
from resnet_cli.render.tables.numbers import cell
from resnet_cli.render.themes import THEMES, Theme
from resnet_cli.tables import Table

ABREAST = 4
"""So many drawings stand beside one another where there is room."""
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
"""What a browser holds the page to: no request, whatever its content says."""


COMPARISON = "comparison"
"""The key of a chapter that is of the others."""


class Level(NamedTuple):
    """One of several views of the same: a drawing beside its table."""

    name: str
    drawing: Drawing
    table: Table


class Section(NamedTuple):
    """A heading, then what it has: levels to choose from, a drawing, tables, charts, ``code`` as it is typed, notes."""

    key: str
    title: str
    levels: Sequence[Level] = ()
    drawing: Drawing | None = None
    tables: Sequence[Table] = ()
    charts: Sequence[Chart] = ()
    notes: Sequence[str] = ()
    code: Sequence[str] = ()


class Chapter(NamedTuple):
    """A network, a comparison of several, or a training.

    ``facts`` is a table of one row, shown large; rows of tables have the colours of ``stages``, where there are any.
    """

    key: str
    title: str
    subtitle: str
    facts: Table | None
    stages: Drawing | None
    sections: Sequence[Section]


def page(chapters: Sequence[Chapter], origin: str, exact: bool) -> str:
    """The document; ``origin`` says by what it was made.

    A chapter alone is the page; several stand below a heading of their own.
    """
    alone = len(chapters) == 1
    title = (
        chapters[0].title if alone else " · ".join(c.title for c in chapters if c.key != COMPARISON)
    )
    contents = _contents(chapters)
    if alone:
        body = _chapter(chapters[0], 1, exact, contents)
    else:
        body = f"<header>\n<h1>{html.escape(title)}</h1>\n</header>\n{contents}"
        body += "".join(_chapter(chapter, 2, exact) for chapter in chapters)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{html.escape(title)}</title>
<style>
:root {{ {_colours("light")} }}
@media screen and (prefers-color-scheme: dark) {{ :root {{ {_colours("dark")} }} }}
{_beside("report.css")}{"".join(map(_swatches, chapters))}</style>
</head>
<body>
<main>
{body}</main>
<footer><p>{html.escape(origin)}</p></footer>
<script>
{_beside("report.js")}</script>
</body>
</html>
"""


def _beside(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def _named(theme: Theme) -> dict[str, str]:
    """The colours of a theme by the names of the page's variables for them."""
    rows = {
        f"--{part}{at}": colour
        for at, row in enumerate(theme.rows)
        for part, colour in zip(("row", "edge"), row, strict=True)
    }
    colours = theme._asdict()
    return {f"--{key}": colours[key] for key in colours if key not in ("rows", "font")} | rows


def _colours(theme: str) -> str:
    """Variables for a theme's colours and those of the series of charts."""
    series = {
        f"--series{at}": style.on_dark if theme == "dark" else style.color
        for at, style in enumerate(STYLES)
    }
    named = _named(THEMES[theme]) | series
    return " ".join(f"{name}: {colour};" for name, colour in named.items())


def _figure(drawing: Drawing, key: str, alone: int | None = None) -> str:
    """The drawing, or one network ``alone`` of it, in the page's own colours, light or dark."""
    text = svg(drawing, "light", key, alone)
    for name, colour in _named(THEMES["light"]).items():
        text = text.replace(f'"{colour}"', f'"var({name})"')
    drawn = drawing.columns if alone is None else [drawing.columns[alone]]
    label = f"diagram of {', '.join(column.name for column in drawn)} by {drawing.level}"
    return _pane(text, label, "figure")


def _side_by_side(drawing: Drawing, key: str) -> str:
    """A figure for each network, all with the same rows and scale, in lines of about equal number."""
    number = len(drawing.columns)
    lines = -(-number // ABREAST)
    wide = [layout.place(drawing, at).width for at in range(number)]
    figures = "".join(
        f'<div style="--part: {width / max(wide):.3f}">\n{_figure(drawing, f"{key}-{at}", at)}</div>\n'
        for at, width in enumerate(wide)
    )
    return f'<div class="abreast" style="--abreast: {-(-number // lines)}">\n{figures}</div>\n'


def _chart(chart: Chart, key: str) -> str:
    caption = f"<figcaption>{html.escape(chart.title)}</figcaption>\n"
    return f'<figure class="chart">\n{caption}{svg_chart(chart, key)}</figure>\n'


def _swatches(chapter: Chapter) -> str:
    """Style that gives the rows of stages, blocks and modules the colour that their boxes have."""
    if chapter.stages is None:
        return ""
    ranks, rules = chapter.stages.ranks, {}
    for box in (box for column in chapter.stages.columns for box in column.boxes if box.stage):
        stage = _quoted(box.stage)
        rows = [f"[data-stage={stage}]"]
        if box.kind == "module":
            rows += [f"[data-module={_quoted(path)}]" for path in box.paths]
        else:
            rows.append(f"[data-label^={_quoted(box.stage.removesuffix('x'))}]")
        at = ranks[box.size, box.stage] % len(THEMES["light"].rows)
        rules[", ".join(rows)] = f"--fill: var(--row{at}); --edge: var(--edge{at});"
    return "".join(f"#{chapter.key} tr:is({rows}) {{ {rule} }}\n" for rows, rule in rules.items())


def _quoted(name: str) -> str:
    """A name as a string of CSS, whatever is in it."""
    safe = (sign if sign.isalnum() or sign in "_-." else f"\\{ord(sign):x} " for sign in name)
    return f'"{"".join(safe)}"'


def _contents(chapters: Sequence[Chapter]) -> str:
    """Links to every section, a list for each chapter."""
    lists = []
    for chapter in chapters:
        links = "".join(
            f'<li><a href="#{chapter.key}-{section.key}">{html.escape(section.title)}</a></li>\n'
            for section in chapter.sections
        )
        name = f'<a href="#{chapter.key}">{html.escape(chapter.title)}</a>\n'
        lists.append(f"<div>{name if chapters[1:] else ''}<ul>\n{links}</ul></div>\n")
    return f'<nav aria-label="Contents">\n{"".join(lists)}</nav>\n'


def _chapter(chapter: Chapter, rank: int, exact: bool, contents: str = "") -> str:
    subtitle = f"<p>{html.escape(chapter.subtitle)}</p>\n" if chapter.subtitle else ""
    sections = "".join(
        _section(s, f"{chapter.key}-{s.key}", rank + 1, exact) for s in chapter.sections
    )
    return (
        f'<article id="{chapter.key}">\n<header>\n<h{rank}>{html.escape(chapter.title)}</h{rank}>\n{subtitle}'
        f"{_facts(chapter.facts, exact) if chapter.facts else ''}</header>\n{contents}{sections}</article>\n"
    )  # fmt: skip


def _facts(of: Table, exact: bool) -> str:
    pairs = []
    for column, value in zip(of.columns, of.rows[0], strict=True):
        text = cell(column, value, exact)
        whole = f"{value:,}{html.UNITS[column.kind]}" if column.kind in html.UNITS else text
        small = f"<small>{whole}</small>" if whole != text else ""
        pairs.append(
            f"<div><dt>{html.escape(column.title)}</dt><dd>{html.escape(text)}{small}</dd></div>\n"
        )
    return f"<dl>\n{''.join(pairs)}</dl>\n"


def _section(section: Section, key: str, rank: int, exact: bool) -> str:
    side_by_side = _side_by_side(section.drawing, key) if section.drawing else ""
    tables = [_pane(html.table(table, exact), table.title) for table in section.tables]
    charts = "".join(_chart(c, f"{key}-chart{at}") for at, c in enumerate(section.charts))
    code = "".join(f"<pre><code>{html.escape(line)}</code></pre>\n" for line in section.code)
    lines = "".join(f"<li>{html.escape(note)}</li>\n" for note in section.notes)
    notes = f'<ul class="notes">\n{lines}</ul>\n' if lines else ""
    return (
        f'<section id="{key}">\n<h{rank}>{html.escape(section.title)}</h{rank}>\n'
        f"{_levels(section, key, exact)}{side_by_side}"
        f'<div class="parts">\n{"".join([*tables[:1], charts, *tables[1:], code, notes])}</div>\n</section>\n'
    )


def _levels(section: Section, key: str, exact: bool) -> str:
    """A radio button for each level, the first one chosen; style alone shows what is chosen."""
    if not section.levels:
        return ""
    choices = "".join(
        f'<label><input type="radio" name="{key}-level" value="{level.name}"'
        f"{'' if at else ' checked'}>{level.name}</label>\n"
        for at, level in enumerate(section.levels)
    )
    views = []
    for level in section.levels:
        figure = _figure(level.drawing, f"{key}-{level.name}")
        table = _pane(html.table(level.table, exact), level.table.title)
        views.append(f'<div class="level" data-level="{level.name}">\n{figure}{table}</div>\n')
    fieldset = f'<fieldset class="levels"><legend>Level</legend>\n{choices}</fieldset>\n'
    return f"{fieldset}{''.join(views)}"


def _pane(content: str, label: str, element: str = "div") -> str:
    """A part that scrolls by itself where it is wider than the page."""
    role = ' role="group"' if element == "div" else ""
    return (
        f'<{element} class="pane"{role} tabindex="0" aria-label="{html.escape(label)}">\n'
        f"{content}</{element}>\n"
    )
