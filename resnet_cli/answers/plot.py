"""plot(): cost, error, memory, receptive field, gradients or paths as a chart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from resnet_cli.answers.gradient import Progress, silent
from resnet_cli.answers.view import Model, uncounted, whose
from resnet_cli.charts import Chart
from resnet_cli.designs import limits
from resnet_cli.errors import UserError
from resnet_cli.inputs import Given
from resnet_cli.models import load
from resnet_cli.networks import Network, distinct
from resnet_cli.render.charts.chart_style import STYLES
from resnet_cli.render.themes import THEMES

if TYPE_CHECKING:
    from resnet_cli.render.charts.matplotlib_chart import Rendered

KINDS = {
    "cost": (1, 24),
    "tradeoff": (0, 0),
    "memory": (1, 1),
    "receptive-field": (1, 8),
    "gradient": (1, 8),
    "shatter": (1, 6),
    "paths": (1, 8),
    "training": (1, 8),
    "lesion": (1, 8),
}
"""How many networks each kind takes, at least and at most; the last two a folder, and which of its networks."""
OPTIONS = {
    "--x": ("cost", "tradeoff"),
    "--dataset": ("tradeoff",),
    "--crops": ("tradeoff",),
    "--seeds": ("gradient", "shatter"),
    "--batch": ("memory", "gradient"),
    "--run-code": ("lesion",),
}
"""Which kinds have an option."""
SMALLEST, LARGEST = 1.0, 40.0
"""Inches of a picture's side."""
MOST = {"--crops": 10, "--seeds": 1000, "--batch": limits.BATCH}


class Plot(NamedTuple):
    """A chart that shows as SVG in a notebook; ``data()`` has its numbers."""

    chart: Chart

    def data(self) -> dict[str, Any]:
        """What ``--json`` prints."""
        from resnet_cli.answers.view import View
        from resnet_cli.render.charts.chart_data import as_answer

        return View(*as_answer(self.chart, whole=True)).data()

    def picture(
        self,
        format: str = "svg",
        theme: str = "light",
        size: tuple[float, float] | None = None,
        bare: bool = False,
    ) -> Rendered:
        """A file of that format: svg, png or pdf; ``size`` is width and height in inches.

        A ``bare`` one has no title and no notes, which a caption says. Raises `UserError` for other
        words and for a size without room; needs matplotlib.
        """
        limits.one_of("format", format, ("svg", "png", "pdf"))
        limits.one_of("theme", theme, tuple(THEMES))
        for inches in size or ():
            if not SMALLEST <= inches <= LARGEST:
                what = f"a picture of {inches:g} inches is out of range"
                raise UserError(what, f"allowed: {SMALLEST:g} to {LARGEST:g} inches a side")
        from resnet_cli.render.charts.matplotlib_chart import render

        return render(self.chart, format, theme, size, bare)

    def _repr_svg_(self) -> str:
        return self.picture().content.decode()


def plot(
    kind: str,
    *models: Model,
    x: str | None = None,
    dataset: str | None = None,
    crops: int | None = None,
    seeds: int | None = None,
    batch: int | None = None,
    run_code: bool | None = None,
    progress: Progress = silent,
) -> Plot:
    """A chart of ``kind`` cost, tradeoff (published error against cost), memory, receptive-field, gradient, shatter or paths.

    Of a folder of `resnet_cli.train`, and of those of its networks that are named behind it, training or lesion.
    ``x`` is macs or params, for cost and tradeoff; ``dataset`` imagenet or cifar10 and ``crops`` 1 or
    10 for tradeoff; ``seeds`` for gradient and shatter; ``batch`` for memory and gradient; ``run_code`` for lesion. Raises `UserError` for an
    option that the kind does not have.
    """
    limits.one_of("kind of plot", kind, tuple(KINDS))
    given = {
        "--x": x,
        "--dataset": dataset,
        "--crops": crops,
        "--seeds": seeds,
        "--batch": batch,
        "--run-code": run_code,
    }
    _check(kind, given)
    _check_number(kind, len(models))
    if kind == "tradeoff":
        return Plot(_tradeoff(dataset or "imagenet", crops or 1, x or "macs"))
    if kind in ("training", "lesion"):
        folder, *names = map(str, models)
        return Plot(
            _training(folder, names)
            if kind == "training"
            else _lesion(folder, names, bool(run_code), progress)
        )
    networks = _networks(models, batch if kind == "memory" else None)
    if kind == "gradient":
        return Plot(_gradient(networks, seeds or 5, batch or 8, progress))
    if kind == "shatter":
        return Plot(_shatter(networks, seeds or 5, progress))
    chart = _chart(kind, networks, x or "macs")
    whose_line = [whose(network.name, network) for network in networks]
    return Plot(
        chart._replace(notes=[*uncounted(networks), *filter(None, whose_line), *chart.notes])
    )


def _chart(kind: str, networks: list[Network], x: str) -> Chart:
    from resnet_cli.analyses import plot as analysis

    if kind == "cost":
        return analysis.cost(networks, x)
    if kind == "memory":
        return analysis.memory(networks[0], networks[0].batch)
    drawn = analysis.receptive_field if kind == "receptive-field" else analysis.paths
    return drawn(networks)


def _gradient(networks: list[Network], seeds: int, batch: int, progress: Progress) -> Chart:
    from resnet_cli.analyses import plot as analysis
    from resnet_cli.answers import gradient
    from resnet_cli.answers.needs import need

    cases = [case for network in networks for case in gradient.cases(network)]
    need("plot gradient", "torch")
    return analysis.gradient(gradient.measure(cases, seeds, batch, progress), seeds, batch)


def _shatter(networks: list[Network], seeds: int, progress: Progress) -> Chart:
    from resnet_cli.analyses import shatter as analysis
    from resnet_cli.answers import gradient, shatter

    cases = [case for network in networks for case in gradient.cases(network)]
    measured = shatter.measure(cases, seeds, progress)
    return analysis.chart(measured, shatter.notes(measured))


def _training(folder: str, names: list[str]) -> Chart:
    from resnet_cli import runs
    from resnet_cli.analyses import curves
    from resnet_cli.answers import lesion

    training = runs.read(folder)
    return curves.chart(training, _few(lesion.named(training.record, names)))


def _few(names: list[str]) -> list[str]:
    """No more of a folder's networks than can be told apart."""
    if len(names) > len(STYLES):
        what = f"{len(names)} networks in the folder, too many for a plot"
        raise UserError(what, f"name at most {len(STYLES)} of them behind it")
    return names


def _lesion(folder: str, names: list[str], run_code: bool, progress: Progress) -> Chart:
    from resnet_cli import runs
    from resnet_cli.analyses import lesion as analysis
    from resnet_cli.answers import lesion

    chosen = _few(lesion.named(runs.read_record(folder), names))
    measured = lesion.measure(folder, chosen, run_code=run_code, progress=progress)
    return analysis.chart(measured, lesion.notes(runs.read_record(folder), measured))


def _check(kind: str, given: dict[str, str | int | None]) -> None:
    """Raises `UserError` for an option that the kind does not have, or a value it can't take."""
    for option, value in given.items():
        kinds = OPTIONS[option]
        if value is not None and kind not in kinds:
            raise UserError(
                f"plot {kind} has no {option}", f"{option} is for {' and '.join(kinds)}"
            )
        if isinstance(value, int) and option in MOST:
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


def _networks(models: Sequence[Model], batch: int | None) -> list[Network]:
    """The networks, equal names numbered, as no legend could tell them apart."""
    networks = [load(model, Given(batch=batch)) for model in models]
    named = zip(distinct(networks), networks, strict=True)
    return [network._replace(name=name) for name, network in named]


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
