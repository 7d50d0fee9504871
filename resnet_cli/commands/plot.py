"""resnet-cli plot."""

# without postponed annotations: Typer and the generated docs read those of the signature
import re
import sys
from typing import Annotated

import typer

from resnet_cli.answers.needs import need
from resnet_cli.answers.plot import KINDS, Plot, plot
from resnet_cli.charts import Chart
from resnet_cli.commands import output, pictures
from resnet_cli.commands.extras import progress
from resnet_cli.commands.options import changeable, complete, words
from resnet_cli.designs.limits import one_of
from resnet_cli.errors import UserError
from resnet_cli.render.themes import THEMES

PICTURES = ("svg", "png", "pdf")
FORMATS = ("chart", *PICTURES, *output.FORMATS)
SUFFIXES = {**pictures.SVG_PNG_PDF, **output.SUFFIXES}
WIDTH = 100
"""Columns of a drawing that goes to no terminal."""
INCHES = {"in": 1.0, "cm": 1 / 2.54, "mm": 1 / 25.4}


@changeable("networks")
def command(
    kind: Annotated[str, typer.Argument(help=", ".join(KINDS) + ".", **words(tuple(KINDS), "KIND"))],
    networks: Annotated[
        list[str] | None,
        typer.Argument(metavar="MODEL…", help="Networks; tradeoff takes none, training and lesion a folder of train and which of its networks.", autocompletion=complete),
    ] = None,
    x: Annotated[str | None, typer.Option("--x", help="cost, tradeoff: macs (default) or params.", **words(("macs", "params")))] = None,
    dataset: Annotated[str | None, typer.Option(help="tradeoff: imagenet (default) or cifar10.", **words(("imagenet", "cifar10")))] = None,
    crops: Annotated[int | None, typer.Option(help="tradeoff, imagenet: 1 (default) or 10 crops.")] = None,
    seeds: Annotated[int | None, typer.Option(help="gradient, shatter: networks drawn and measured (5).")] = None,
    batch: Annotated[int | None, typer.Option(help="memory (1), gradient (8): inputs at once.")] = None,
    run_code: Annotated[bool | None, typer.Option("--run-code", help="lesion: run a network of FOLDER that is Python.")] = None,
    target: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="FILE", help="A picture (.svg, .png, .pdf), or the points (.csv, .json, .md, .tex, .html); - is stdout."),
    ] = None,
    format: Annotated[
        str | None, typer.Option("--format", "-f", help=f"{', '.join(FORMATS)}; else by the suffix of -o.", **words(FORMATS, "FORMAT"))
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Short for --format json.")] = False,
    theme: Annotated[str | None, typer.Option(help="Of a picture: light, dark or paper.", **words(tuple(THEMES), "THEME"))] = None,
    size: Annotated[
        str | None, typer.Option(metavar="WxH", help="Of a picture, in inches: 9.6x5.4; a paper's column: 3.3x2.4, or 84x60mm.")
    ] = None,
    bare: Annotated[bool, typer.Option("--bare", help="No title and no notes: for a caption.")] = False,
) -> None:  # fmt: skip
    """Cost, error, memory, receptive field, gradients or paths as a chart: here, or SVG, PNG, PDF."""
    if json and format not in (None, "json"):
        raise UserError(f"both --json and --format {format} given", "give one of them")
    one_of("theme", theme or "light", tuple(THEMES))
    format = pictures.chosen("json" if json else format, target, SUFFIXES, FORMATS)
    inches = _inches(size)
    if format not in PICTURES:
        pictures.refuse_for_text(format, theme=theme, size=size, bare=bare and format != "chart")
    pictures.check(format, target)
    if format in PICTURES:
        need(f"plot --format {format}", "matplotlib", extra="plot")
    drawn = plot(
        kind, *networks or (), x=x, dataset=dataset, crops=crops, seeds=seeds, batch=batch,
        run_code=run_code, progress=progress,
    )  # fmt: skip
    if format in PICTURES:
        pictures.send(_picture(drawn, format, theme or "light", inches, bare), target)
    else:
        chart = drawn.chart._replace(title="", notes=[]) if bare else drawn.chart
        pictures.send(_text(chart, format, output.is_file(target)), target)


def _inches(size: str | None) -> tuple[float, float] | None:
    """Width and height, typed as 3.3x2.4 or 84x60mm."""
    if size is None:
        return None
    number = r"(\d{1,4}(?:\.\d{1,4})?)"
    parts = re.fullmatch(
        rf"{number}[x×]{number}({'|'.join(INCHES)})?", size.replace(" ", "").lower()
    )
    if not parts:
        raise UserError(f"--size {size[:40]!r} is no width and height", "type it as --size 3.3x2.4")
    width, height, unit = parts.groups()
    return float(width) * INCHES[unit or "in"], float(height) * INCHES[unit or "in"]


def _picture(
    drawn: Plot, format: str, theme: str, inches: tuple[float, float] | None, bare: bool
) -> bytes:
    """The picture's bytes; says on stderr which points it leaves without a name."""
    content, unnamed = drawn.picture(format, theme, inches, bare)
    if unnamed:
        names = ", ".join(unnamed)
        print(f"note: no room for the names of {names}: give a larger --size", file=sys.stderr)
    return content


def _text(chart: Chart, format: str, to_file: bool) -> str:
    """The points in a format of tables, or the chart made of signs."""
    if format != "chart":
        from resnet_cli.render.charts import chart_data

        answer = chart_data.as_answer(chart, whole=format == "json")
        return output.render(answer, format, exact=True, to_file=to_file)
    from resnet_cli.render.charts import terminal_chart

    width, color = output.terminal(to_file)
    try:
        terminal_chart.SIGNS.encode("utf-8" if to_file else sys.stdout.encoding or "utf-8")
        unicode = True
    except UnicodeEncodeError:
        unicode = False
    return terminal_chart.render(chart, width or WIDTH, color, unicode)
