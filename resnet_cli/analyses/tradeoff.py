"""Published error against cost: every network of figures.csv that can be described here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from resnet_cli.analyses.cost.counts import totals
from resnet_cli.analyses.plot import MACS, PARAMS, cost_axis
from resnet_cli.analyses.published import described
from resnet_cli.charts import Axis, Chart, Point, Series
from resnet_cli.designs import zoo
from resnet_cli.published import Figure, changes
from resnet_cli.trace import trace


class Setting(NamedTuple):
    """What makes errors comparable: one quantity, one input size, one way of testing.

    ``tested`` must stand in a figure's setting; of a network's figures those ``apart`` are taken
    last, and drawn as a series of their own.
    """

    quantity: str
    label: str
    input_size: tuple[int, int]
    tested: str
    apart: str = ""


SETTINGS = {
    ("imagenet", 1): Setting(
        "top1_err", "top-1 error, ImageNet val, one 224×224 crop", (224, 224), "single crop"
    ),
    ("imagenet", 10): Setting(
        "top1_err", "top-1 error, ImageNet val, ten 224×224 crops", (224, 224), "10-crop"
    ),
    ("cifar10", 1): Setting(
        "cifar10_err", "error, CIFAR-10 test, whole images", (32, 32), "",
        apart="ZCA preprocessing",
    ),
}  # fmt: skip
"""By dataset and number of crops."""

FRONT = "Pareto front"


class Published(NamedTuple):
    """A network, the figure taken for it, and what it costs."""

    spec: zoo.Spec
    figure: Figure
    macs: int
    params: int

    def name(self) -> str:
        """As listed; a changed network as the paper prints it."""
        return self.figure.printed_name if self.figure.overrides else self.spec.name

    def family(self, setting: Setting) -> str:
        """A pre-activation network of another width is a wide one."""
        family = self.spec.family.removesuffix(" (CIFAR)")
        if "width" in changes(self.figure.overrides):
            family = "Wide ResNet"
        apart = setting.apart and setting.apart in self.figure.setting
        return f"{family}, {setting.apart}" if apart else family


def published(setting: Setting, figures: Iterable[Figure]) -> list[Published]:
    """One figure for each network, the first in the order of the papers: mostly its own paper's."""
    first_figures: dict[zoo.Spec, Figure] = {}
    fitting = [f for f in figures if f.network and _fits(setting, f)]
    for figure in sorted(fitting, key=lambda f: bool(setting.apart) and setting.apart in f.setting):
        spec = described(figure.network, figure.overrides)
        if spec and spec.input_size == setting.input_size:
            first_figures.setdefault(spec, figure)
    networks = []
    for spec, figure in first_figures.items():
        total = totals(trace(spec.net(), spec.input_shape))
        networks.append(Published(spec, figure, total["macs"], total["params"]))
    return networks


def _fits(setting: Setting, figure: Figure) -> bool:
    return (
        figure.quantity == setting.quantity
        and setting.tested in figure.setting
        and figure.printed.replace(".", "").isdigit()
    )


def front(points: Iterable[Point]) -> list[Point]:
    """Those that no other beats in one of x and y without losing in the other, from left to right."""
    best: list[Point] = []
    for point in sorted(points):
        if not best or point.y < best[-1].y:
            best.append(point)
    return best


def tradeoff(setting: Setting, figures: Iterable[Figure], of: str) -> Chart:
    """A point for each network, a series for each family, and the front that no other beats."""
    families: dict[str, list[Point]] = {}
    for one in published(setting, figures):
        cost = one.macs if of == "macs" else one.params
        point = Point(cost, float(one.figure.printed), one.name())
        families.setdefault(one.family(setting), []).append(point)
    every: Sequence[Point] = [point for points in families.values() for point in points]
    size = "×".join(map(str, (3, *setting.input_size)))
    return Chart(
        "tradeoff",
        f"Published error against {'cost' if of == 'macs' else 'parameters'}",
        cost_axis(of, f"one input of {size}", log=True),
        Axis(f"{setting.label}, %", "%", "number"),
        [
            Series(FRONT, [Point(p.x, p.y, p.label) for p in front(every)], "front"),
            *(Series(family, points, "scatter") for family, points in families.items()),
        ],
        [
            f"errors as the papers print them, of several for a network the first; training differs from paper to paper; "
            f"{FRONT}: no other of these has a lower error at no higher cost; {MACS if of == 'macs' else PARAMS}"
        ],
    )
