"""resnet-cli diagram."""

from pathlib import Path
from typing import Annotated

import typer

from resnet_cli import files
from resnet_cli.analyses.compare.blocks import BLOCKS
from resnet_cli.answers.diagram import diagram
from resnet_cli.commands import output
from resnet_cli.commands.options import changeable, complete
from resnet_cli.drawings import Drawing
from resnet_cli.errors import UserError

SUFFIXES = (".svg", ".png", ".mmd", ".dot")
NAMED = f"Networks, or single blocks: {', '.join(BLOCKS)}."


@changeable("names")
def command(
    names: Annotated[
        list[str], typer.Argument(metavar="MODEL [MODEL…]", help=NAMED, autocompletion=complete)
    ],
    target: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="FILE", help=f"Write it: {', '.join(SUFFIXES)}."),
    ] = None,
    level: Annotated[
        str | None,
        typer.Option(help="A box for each stage, convolution (block, as in Figure 3) or layer."),
    ] = None,
    fold: Annotated[
        bool | None,
        typer.Option("--fold/--no-fold", help="Draw equal blocks once; default: if over 40 boxes."),
    ] = None,
    direction: Annotated[str, typer.Option(help="down or right.")] = "down",
    theme: Annotated[str, typer.Option(help="Of SVG and PNG: light, dark or paper.")] = "light",
) -> None:
    """Networks or blocks drawn as in the papers' figures, in the terminal or to a file."""
    if target is not None:
        _check(target)
    drawing = diagram(*names, level=level, fold=fold, direction=direction, theme=theme).drawing
    if target is None:
        from resnet_cli.render.drawings import terminal_diagram

        output.send(terminal_diagram.render(drawing, output.terminal(False)[0]), None)
    else:
        _write(drawing, target, theme)


def _check(target: str) -> None:
    """Refuses before the work what could not be written after it."""
    suffix = Path(target).suffix.lower()
    if suffix not in SUFFIXES:
        raise UserError(
            f"{target!r} has no suffix that says what to draw", f"give one of {', '.join(SUFFIXES)}"
        )
    if suffix == ".png":
        from resnet_cli.answers.needs import need

        need("diagram -o FILE.png", "resvg_py", "matplotlib", extra="plot")
    files.check_writable(target)


def _write(drawing: Drawing, target: str, theme: str) -> None:
    suffix = Path(target).suffix.lower()
    if suffix == ".png":
        from resnet_cli.render.drawings.png import png

        with files.whole(target) as beside:
            Path(beside).write_bytes(png(drawing, theme))
        return
    if suffix == ".svg":
        from resnet_cli.render.drawings.svg import svg

        text = svg(drawing, theme)
    elif suffix == ".mmd":
        from resnet_cli.render.drawings.mermaid import mermaid

        text = mermaid(drawing)
    else:
        from resnet_cli.render.drawings.dot import dot

        text = dot(drawing)
    output.send(text, target)
