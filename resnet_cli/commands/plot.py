"""resnet-cli plot."""

# without postponed annotations: Typer and the generated docs read those of the signature
import sys
from pathlib import Path
from typing import Annotated

import typer

from resnet_cli import files, models
from resnet_cli.charts import Chart
from resnet_cli.commands import output
from resnet_cli.commands.extras import need
from resnet_cli.commands.options import complete
from resnet_cli.designs import limits, zoo
from resnet_cli.errors import UserError, did_you_mean
from resnet_cli.trace import trace

# kind -> how many networks it takes, at least and at most
KINDS = {
    "cost": (1, 24),
    "tradeoff": (0, 0),
    "memory": (1, 1),
    "receptive-field": (1, 8),
    "gradient": (1, 8),
    "paths": (1, 8),
}
# option -> the kinds that have it
OPTIONS = {
    "--x": ("cost", "tradeoff"),
    "--dataset": ("tradeoff",),
    "--crops": ("tradeoff",),
    "--seeds": ("gradient",),
    "--batch": ("memory", "gradient"),
}
MOST = {"--crops": 10, "--seeds": 1000, "--batch": limits.BATCH}
PICTURES = (".svg", ".png", ".pdf")
FORMATS = ("chart", *output.FORMATS)
WIDTH = 100
"""Columns of a drawing that goes to no terminal."""


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
    names, format = networks or [], "json" if json else format
    limits.one_of("kind of plot", kind, tuple(KINDS))
    limits.one_of("format", format, FORMATS)
    _check(
        kind, {"--x": x, "--dataset": dataset, "--crops": crops, "--seeds": seeds, "--batch": batch}
    )
    _check_number(kind, len(names))
    if target is not None:
        _check_target(target, format)
    if kind == "tradeoff":
        chart = _tradeoff(dataset or "imagenet", crops or 1, x or "macs")
    elif kind == "gradient":
        chart = _gradient(names, seeds or 5, batch or 8)
    else:
        chart = _traced(kind, names, x or "macs", batch or 1)
    _show(chart, format, target)


def _check(kind: str, given: dict[str, str | int | None]) -> None:
    """Raises `UserError` for an option that the kind does not have, or a value it can't take."""
    for option, value in given.items():
        kinds = OPTIONS[option]
        if value is not None and kind not in kinds:
            raise UserError(
                f"plot {kind} has no {option}", f"{option} is for {' and '.join(kinds)}"
            )
        if isinstance(value, int):
            limits.within(option, value, MOST[option])
    limits.one_of("quantity for --x", str(given["--x"] or "macs"), ("macs", "params"))


def _check_number(kind: str, number: int) -> None:
    least, most = KINDS[kind]
    if number < least:
        example = f"type a name, such as: plot {kind} resnet50; all: resnet-cli list"
        raise UserError("no network named", example)
    if number > most:
        if not most:
            every = "leave it out: every network with a published error is drawn"
            raise UserError(f"plot {kind} takes no MODEL", every)
        hint = "give one" if most == 1 else f"give at most {most}"
        raise UserError(f"{number} networks given, too many for plot {kind}", hint)


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


def _specs(names: list[str]) -> list[zoo.Spec]:
    """The networks. Raises `UserError` for a name twice, which no legend could tell apart."""
    specs = [models.load(name) for name in names]
    found = [spec.name for spec in specs]
    twice = next((name for name in found if found.count(name) > 1), None)
    if twice:
        raise UserError(f"{twice} is given twice", "give each network once")
    return specs


def _traced(kind: str, names: list[str], of: str, batch: int) -> Chart:
    from resnet_cli.analyses import plot

    traced = [(spec.name, trace(spec.net(), spec.input_shape)) for spec in _specs(names)]
    if kind == "cost":
        return plot.cost(traced, of)
    if kind == "memory":
        return plot.memory(*traced[0], batch)
    return plot.receptive_field(traced) if kind == "receptive-field" else plot.paths(traced)


def _tradeoff(dataset: str, crops: int, of: str) -> Chart:
    from resnet_cli.analyses.tradeoff import SETTINGS, tradeoff
    from resnet_cli.published import figures

    limits.one_of("dataset", dataset, tuple(dict.fromkeys(name for name, _ in SETTINGS)))
    if (dataset, crops) not in SETTINGS:
        known = " or ".join(str(number) for name, number in SETTINGS if name == dataset)
        raise UserError(
            f"no errors on {dataset} with --crops {crops}", f"there are those with {known}"
        )
    return tradeoff(SETTINGS[dataset, crops], figures(), of)


def _gradient(names: list[str], seeds: int, batch: int) -> Chart:
    from resnet_cli.analyses import plot
    from resnet_cli.commands import gradient

    found = [case for spec in _specs(names) for case in gradient.cases(spec)]
    need("plot gradient", "torch")
    return plot.gradient(gradient.measure(found, seeds, batch), seeds, batch)


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
