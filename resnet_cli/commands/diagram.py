"""resnet-cli diagram."""

from pathlib import Path
from typing import Annotated

import typer

from resnet_cli import files, models
from resnet_cli.analyses import compare
from resnet_cli.analyses.diagram import DIRECTIONS, LEVELS, diagram
from resnet_cli.commands import output
from resnet_cli.commands.options import complete
from resnet_cli.designs import limits
from resnet_cli.drawings import Drawing
from resnet_cli.errors import UserError
from resnet_cli.trace import trace

SUFFIXES = (".svg", ".png", ".mmd", ".dot")
THEMES = ("light", "dark", "paper")
MOST = 16
NAMED = f"Networks, or single blocks: {', '.join(compare.BLOCKS)}."


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
    limits.one_of("level", level or "block", LEVELS)
    limits.one_of("direction", direction, DIRECTIONS)
    limits.one_of("theme", theme, THEMES)
    if len(names) > MOST:
        raise UserError(f"{len(names)} networks given", f"give {MOST} at most")
    if target is not None:
        _check(target)
    drawing = _drawing(names, level, fold, direction)
    if target is None:
        from resnet_cli.render.drawings import terminal_diagram

        output.send(terminal_diagram.render(drawing, output.terminal(False)[0]), None)
    else:
        _write(drawing, target, theme)


def _drawing(names: list[str], level: str | None, fold: bool | None, direction: str) -> Drawing:
    """The drawing of all networks, or of all blocks; those of He et al. 2016 layer by layer."""
    blocks = compare.blocks_among(names)
    if not blocks:
        specs = [models.load(name) for name in names]
        traced = [(spec.name, trace(spec.net(), spec.input_shape)) for spec in specs]
        return diagram(traced, level or "block", fold, direction)
    return diagram(
        [(name, compare.block_rows(name, CHANNELS[compare.BLOCKS[name]["block"]], SIZE)) for name in blocks],
        level or ("layer" if any("preact" in compare.BLOCKS[name] for name in blocks) else "block"),
        fold, direction, units=True,
    )  # fmt: skip


CHANNELS, SIZE = {"basic": 64, "bottleneck": 256}, 56
"""Of single blocks, as in Figure 5 of He et al. 2015."""


def _check(target: str) -> None:
    """Refuses before the work what could not be written after it."""
    suffix = Path(target).suffix.lower()
    if suffix not in SUFFIXES:
        raise UserError(
            f"{target!r} has no suffix that says what to draw", f"give one of {', '.join(SUFFIXES)}"
        )
    if suffix == ".png":
        from resnet_cli.commands.extras import need

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
