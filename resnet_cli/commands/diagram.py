"""resnet-cli diagram."""

import sys
from typing import Annotated

import typer

from resnet_cli.analyses.compare.blocks import BLOCKS
from resnet_cli.analyses.diagram import DIRECTIONS, LEVELS
from resnet_cli.answers.diagram import diagram
from resnet_cli.answers.needs import need
from resnet_cli.commands import output, pictures
from resnet_cli.commands.options import changeable, complete, words
from resnet_cli.designs.limits import one_of
from resnet_cli.drawings import Drawing
from resnet_cli.render.themes import THEMES

SUFFIXES = {**pictures.SVG_PNG_PDF, ".mmd": "mmd", ".dot": "dot"}
FORMATS = ("text", *SUFFIXES.values())
UNCOLOURED = ("text", "mmd")
NEEDS = {"png": ("resvg_py", "matplotlib"), "pdf": ("matplotlib",)}
NAMED = f"Networks, or single blocks: {', '.join(BLOCKS)}."


@changeable("names")
def command(
    names: Annotated[
        list[str], typer.Argument(metavar="MODEL [MODEL…]", help=NAMED, autocompletion=complete)
    ],
    target: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="FILE", help=f"Write it: {', '.join(SUFFIXES)}; - is stdout."),
    ] = None,
    format: Annotated[
        str | None,
        typer.Option("--format", "-f", help=f"{', '.join(FORMATS)}; else by the suffix of -o.", **words(FORMATS, "FORMAT")),
    ] = None,
    level: Annotated[
        str | None,
        typer.Option(help="A box for each stage, convolution (block, as in Figure 3), layer or module; a number: modules so deep.", **words(LEVELS, "LEVEL")),
    ] = None,
    fold: Annotated[
        bool | None,
        typer.Option("--fold/--no-fold", help="Draw what is alike once; default: modules, and blocks if over 40 boxes."),
    ] = None,
    direction: Annotated[str, typer.Option(help="down or right.", **words(DIRECTIONS))] = "down",
    theme: Annotated[
        str | None, typer.Option(help="Of SVG, PNG, PDF and DOT: light, dark or paper.", **words(tuple(THEMES), "THEME"))
    ] = None,
) -> None:  # fmt: skip
    """Networks or blocks drawn as in the papers' figures, or by modules, in the terminal or to a file."""
    one_of("theme", theme or "light", tuple(THEMES))
    format = pictures.chosen(format, target, SUFFIXES, FORMATS)
    if format in UNCOLOURED:
        pictures.refuse_for_text(format, theme=theme)
    pictures.check(format, target)
    if format in NEEDS:
        need(f"diagram --format {format}", *NEEDS[format], extra="plot")
    picture = diagram(*names, level=level, fold=fold, direction=direction, theme=theme or "light")
    written = _written(picture.drawing, format, picture.theme, output.is_file(target))
    if format != "text":
        for note in picture.drawing.notes:
            print(f"note: {note}", file=sys.stderr)
    pictures.send(written, target)


def _written(drawing: Drawing, format: str, theme: str, to_file: bool) -> bytes | str:
    """The content of a file of that format."""
    if format == "svg":
        from resnet_cli.render.drawings.svg import svg

        return svg(drawing, theme)
    if format == "png":
        from resnet_cli.render.drawings.png import png

        return png(drawing, theme)
    if format == "pdf":
        from resnet_cli.render.drawings.pdf import pdf

        return pdf(drawing, theme)
    if format == "mmd":
        from resnet_cli.render.drawings.mermaid import mermaid

        return mermaid(drawing)
    if format == "dot":
        from resnet_cli.render.drawings.dot import dot

        return dot(drawing, theme)
    from resnet_cli.render.drawings import terminal_diagram

    return terminal_diagram.render(drawing, output.terminal(to_file)[0])
