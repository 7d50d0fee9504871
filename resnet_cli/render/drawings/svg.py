"""A drawing as SVG: selectable text, a title on every box, colours as attributes that CSS may override."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from xml.sax.saxutils import escape, quoteattr

from resnet_cli.drawings import Box, Drawing
from resnet_cli.render.drawings import layout, look
from resnet_cli.render.drawings.placed import SAMPLE, Layout, Placed, Point, Shortcut, Word
from resnet_cli.render.drawings.text_width import width as text_width
from resnet_cli.render.themes import THEMES, Theme


def svg(
    drawing: Drawing, theme: str = "light", prefix: str = "diagram", alone: int | None = None
) -> str:
    """The drawing as an SVG document, which may also stand within HTML.

    ``prefix`` begins every id, for several drawings on one page; ``alone`` draws one column of several, in
    their common rows. Each box is a ``g.box`` with
    ``data-stage``, ``data-label`` (the paper's names of its blocks) and ``data-path`` (torch's names
    of its layers), the latter two with a space between several, and instead of them ``data-module`` where it is one; each arc a ``path.arc`` with
    ``data-kind``, ``data-from`` and ``data-to``, the ids of boxes.
    """
    colours, page = THEMES[theme], layout.place(drawing, alone)
    if alone is not None:
        drawing = drawing._replace(columns=(drawing.columns[alone],))
    return "\n".join(_lines(drawing, page, colours, prefix)) + "\n"


def _lines(drawing: Drawing, page: Layout, theme: Theme, prefix: str) -> Iterator[str]:
    wide, high = _number(page.width), _number(page.height)
    names = ", ".join(column.name for column in drawing.columns)
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="diagram" width="{wide}" height="{high}" '
        f'viewBox="0 0 {wide} {high}" role="img" '
        f'aria-labelledby="{prefix}-title {prefix}-desc" font-family="{theme.font}" '
        f'font-size="{layout.FONT}">'
    )
    yield f'<title id="{prefix}-title">{escape(names)}</title>'
    yield f'<desc id="{prefix}-desc">{escape(_description(drawing))}</desc>'
    yield f'<rect class="page" width="{wide}" height="{high}" fill="{theme.background}"/>'
    yield f'<g class="rules" stroke="{theme.rule}">'
    for first, last in page.rules:
        yield f'<path d="M{_at(first)}L{_at(last)}"/>'
    yield f'</g>\n<g class="frames" fill="{theme.frame}" stroke="{theme.rule}">'
    for x, y, width, height in page.frames:
        yield f'<rect {_box(x, y, width, height)} rx="6"/>'
    yield f'</g>\n<g class="wires" fill="none" stroke="{theme.wire}">'
    for column, wires in groupby(page.wires, key=lambda wire: wire[0]):
        way = "".join(f"M{_at(a)}L{_at(b)}" for _, a, b in wires)
        yield f'<path data-column="{column}" d="{way}"/>'
    for shortcut in page.shortcuts:
        yield _arc(shortcut, prefix)
    for kind, (x, y) in page.legend:
        yield f'<path{_dashes(kind)} d="M{_at((x, y))}h{SAMPLE}"/>'
    heads = [(a, b) for _, a, b in page.wires] + [s.way[-2:] for s in page.shortcuts]
    way = "".join(_head(first, last) for first, last in heads)
    yield f'</g>\n<path class="heads" fill="{theme.wire}" d="{way}"/>'
    yield f'<g class="boxes" text-anchor="middle" fill="{theme.text}">'
    for placed in page.boxes:
        yield from _placed(placed, theme, prefix)
    yield '</g>\n<g class="words">'
    for word in page.words:
        yield _word(word, theme)
    yield "</g>\n</svg>"


def _description(drawing: Drawing) -> str:
    about = "; ".join(
        f"{c.name}: {least}{c.params:,} parameters, {least}{c.macs:,} MACs"
        for c in drawing.columns
        for least in ["at least " if c.at_least else ""]
    )
    kinds = {skip.kind for column in drawing.columns for skip in column.skips}
    if drawing.has_rows:
        about += ". Boxes of one output size stand in one row"
    of = "convolution and linear layers for one input" if drawing.has_rows else "the inputs shown"
    skips = " Arcs beside a column lead to what reads a box further on." if kinds else ""
    return (
        f"{about}. Parameters are learnable, MACs are multiply-accumulates of {of}. Solid arcs are "
        f"identity shortcuts, dotted ones change the shape.{skips}"
    )


def _placed(placed: Placed, theme: Theme, prefix: str) -> Iterator[str]:
    box, (x, y, width, height) = placed.box, placed.at
    fill, border, corner = look.box(placed, theme)
    kind = box.kind.replace(" ", "-")
    names = (
        _data("module", box.paths)
        if box.kind == "module"
        else _data("label", box.labels) + _data("path", box.paths)
    )
    yield (
        f'<g class="box {kind} row{placed.row}" id="{prefix}-{placed.column}-{placed.name}"'
        f"{_data('stage', [box.stage])}{names}>"
    )
    yield f"<title>{escape(title(box))}</title>"
    yield (
        f'<rect {_box(x, y, width, height)} rx="{_number(corner)}" fill="{fill}" stroke="{border}"/>'
    )
    for line, baseline, is_bold in look.lines(placed):
        bold = ' font-weight="bold"' if is_bold else ""
        yield f'<text x="{_number(x + width / 2)}" y="{_number(baseline)}"{bold}>{escape(line)}</text>'
    yield "</g>"


def title(box: Box) -> str:
    """What a box says when it is pointed at: names, shapes for one input, parameters and MACs."""
    if box.kind == "input":
        return f"input, {_shape(box.output)}"
    is_group = layout.titled(box) > 0
    named = ", ".join([*_from_to(box.labels), *(_from_to(box.paths[:1]) if not is_group else [])])
    beside = f", with {', '.join(dict.fromkeys(box.others))}" if box.others else ""
    return (
        f"{named}: {' '.join(box.lines[1:]) if is_group else box.kind}{beside}\n"
        f"input {_shape(box.input)}, output {_shape(box.output)}\n"
        f"{box.params:,} params, {box.macs:,} MACs"
    )


def _from_to(names: tuple[str, ...]) -> list[str]:
    return [names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}"]


def _arc(shortcut: Shortcut, prefix: str) -> str:
    arc, start = shortcut.arc, f"{prefix}-{shortcut.column}"
    params, macs = sum(b.params for b in arc.boxes), sum(b.macs for b in arc.boxes)
    text = f"{', '.join(_from_to(shortcut.labels))}: {arc.kind}"
    if arc.boxes:
        written = ", ".join(box.lines[0] for box in arc.boxes)
        shapes = f"input {_shape(arc.boxes[0].input)}, output {_shape(arc.boxes[-1].output)}"
        text += f", {written}\n{shapes}\n{params:,} params, {macs:,} MACs"
    paths = [path for box in arc.boxes for path in box.paths]
    return (
        f'<path class="arc" data-kind="{arc.kind}" data-times="{shortcut.times}" '
        f'data-from="{start}-{shortcut.source}" data-to="{start}-{shortcut.target}"'
        f'{_data("label", shortcut.labels)}{_data("path", paths)}{_dashes(arc.kind)} d="{_way(shortcut.way)}">'
        f"<title>{escape(text)}</title></path>"
    )


def _way(points: Sequence[Point]) -> str:
    """Straight lines with rounded corners."""
    parts = [f"M{_at(points[0])}"]
    for before, corner, after in look.corners(points):
        parts += [f"L{_at(before)}", f"Q{_at(corner)} {_at(after)}"]
    return "".join([*parts, f"L{_at(points[-1])}"])


def _head(before: Point, tip: Point) -> str:
    return "M" + "L".join(map(_at, look.arrow(before, tip))) + "Z"


def _word(word: Word, theme: Theme) -> str:
    size, is_bold, colour = look.STYLES[word.kind]
    bold = ' font-weight="bold"' if is_bold else ""
    x, y = word.at
    limit = ""
    if not word.text.isascii() and word.kind == "name":  # a name in any script stays in its place
        wide = text_width(word.text, size, is_bold)
        limit = f' textLength="{_number(wide)}" lengthAdjust="spacingAndGlyphs"'
    return (
        f'<text class="{word.kind}" x="{_number(x)}" y="{_number(y + size * look.BASELINE)}" '
        f'text-anchor="{word.anchor}" font-size="{size}"{bold}{limit} '
        f'fill="{getattr(theme, colour)}">{escape(word.text)}</text>'
    )


def _dashes(kind: str) -> str:
    return f' stroke-dasharray="{look.DASHES[kind]}"' if look.DASHES[kind] else ""


def _data(key: str, values: Iterable[str]) -> str:
    text = " ".join(values)
    return f" data-{key}={quoteattr(text)}" if text else ""


def _shape(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))


def _box(x: float, y: float, width: float, height: float) -> str:
    return f'x="{_number(x)}" y="{_number(y)}" width="{_number(width)}" height="{_number(height)}"'


def _at(point: Point) -> str:
    return f"{_number(point[0])},{_number(point[1])}"


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
