"""resnet-cli plot."""

# without postponed annotations: Typer and the generated docs read those of the signature
import sys
from pathlib import Path
from typing import Annotated

import typer

from resnet_cli import files
from resnet_cli.answers.needs import need
from resnet_cli.answers.plot import KINDS, plot
from resnet_cli.charts import Chart
from resnet_cli.commands import output
from resnet_cli.commands.extras import progress
from resnet_cli.commands.options import changeable, complete
from resnet_cli.designs import limits
from resnet_cli.errors import UserError, did_you_mean

PICTURES = (".svg", ".png", ".pdf")
FORMATS = ("chart", *output.FORMATS)
WIDTH = 100
"""Columns of a drawing that goes to no terminal."""


@changeable("networks")
def command(
    kind: Annotated[str, typer.Argument(help=", ".join(KINDS) + ".")],
    networks: Annotated[
        list[str] | None,
        typer.Argument(metavar="MODEL…", help="Networks; tradeoff takes none.", autocompletion=complete),
    ] = None,
    x: Annotated[str | None, typer.Option("--x", help="cost, tradeoff: macs (default) or params.")] = None,
    dataset: Annotated[str | None, typer.Option(help="tradeoff: imagenet (default) or cifar10.")] = None,
    crops: Annotated[int | None, typer.Option(help="tradeoff, imagenet: 1 (default) or 10 crops.")] = None,
    seeds: Annotated[int | None, typer.Option(help="gradient: networks drawn and measured (5).")] = None,
    batch: Annotated[int | None, typer.Option(help="memory (1), gradient (8): inputs at once.")] = None,
    target: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="FILE", help=f"A picture to write: {', '.join(PICTURES)}."),
    ] = None,
    format: Annotated[
        str, typer.Option("--format", "-f", help="chart, or the points: " + ", ".join(output.FORMATS) + ".")
    ] = "chart",
    json: Annotated[bool, typer.Option("--json", help="Short for --format json.")] = False,
) -> None:  # fmt: skip
    """Cost, error, memory, receptive field, gradient or paths as a chart: here, or SVG, PNG, PDF."""
    format = "json" if json else format
    limits.one_of("format", format, FORMATS)
    if target is not None:
        _check_target(target, format)
    drawn = plot(
        kind, *networks or (), x=x, dataset=dataset, crops=crops, seeds=seeds, batch=batch,
        progress=progress,
    )  # fmt: skip
    _show(drawn.chart, format, target)


def _check_target(target: str, format: str) -> None:
    """Refuses before the work what could not be written after it."""
    suffix = Path(target).suffix.lower()
    if format != "chart" and suffix in PICTURES:
        what = f"{target!r} is a picture by its name, and --format {format} is text"
        raise UserError(what, "leave out one of them")
    if format == "chart" and suffix not in PICTURES:
        guess = did_you_mean(suffix, PICTURES) if suffix else ""
        allowed = f"give one of {', '.join(PICTURES)}; or --json for the numbers"
        raise UserError(
            f"{target!r} has no suffix of a picture", f"{guess}? {allowed}" if guess else allowed
        )
    if format == "chart":
        need(f"plot -o FILE{suffix}", "matplotlib", extra="plot")
    files.check_writable(target)


def _show(chart: Chart, format: str, target: str | None) -> None:
    """To the terminal, or to a file that appears whole or not at all."""
    if format != "chart":
        from resnet_cli.render.charts import chart_data

        answer = chart_data.as_answer(chart, whole=format == "json")
        output.send(output.render(answer, format, exact=True, to_file=target is not None), target)
    elif target is None:
        output.send(_drawn(chart), None)
    else:
        from resnet_cli.render.charts import matplotlib_chart

        picture = matplotlib_chart.render(chart, Path(target).suffix.lower())
        with files.whole(target) as beside:
            Path(beside).write_bytes(picture)


def _drawn(chart: Chart) -> str:
    """The chart for stdout: as wide, colourful and rich in signs as that is."""
    from resnet_cli.render.charts import terminal_chart

    width, color = output.terminal(to_file=False)
    try:
        terminal_chart.SIGNS.encode(sys.stdout.encoding or "utf-8")
        unicode = True
    except UnicodeEncodeError:
        unicode = False
    return terminal_chart.render(chart, width or WIDTH, color, unicode)
