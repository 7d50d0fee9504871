"""gradient(): how a gradient gets through a network as it is initialised."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from resnet_cli.analyses import gradient as analysis
from resnet_cli.analyses.cost import counts
from resnet_cli.analyses.cost.training import costs
from resnet_cli.analyses.notation import several
from resnet_cli.answers import engines
from resnet_cli.answers.needs import fits, need
from resnet_cli.answers.view import Model, View, beside, short_and_exact
from resnet_cli.designs import limits
from resnet_cli.designs.resnet import ResNet
from resnet_cli.designs.vgg import VGG
from resnet_cli.errors import UserError
from resnet_cli.models import load
from resnet_cli.networks import Network
from resnet_cli.published import figures
from resnet_cli.tables import Column, Table

if TYPE_CHECKING:
    from resnet_cli.pytorch.gradient import Norms

Progress = Callable[..., Iterable[Any]]
"""Hands on the items that it is given, one by one, and may show what is being done, how far it is, and
a note on how long it may take."""
LONG = 50_000_000_000
"""MACs from which on a measurement is announced: ten seconds or so of two cores."""


def silent(items: Sequence[Any], doing: str, note: str = "") -> Iterable[Any]:
    """Shows nothing."""
    return items


class Case(NamedTuple):
    """A network to measure: what it is called here, and what its gates start from."""

    name: str
    network: Network
    gate_bias: float = 0.0


VARIANTS: dict[str, tuple[dict[str, object], float]] = {
    # He et al. 2016, Table 1, as printed -> what is changed of the network, b_g of its gates
    "original: shortcut 1, F 1": ({}, 0),
    "constant scaling: shortcut 0, F 1 (plain)": ({"shortcut_scale": 0.0}, 0),
    "constant scaling: shortcut 0.5, F 1": ({"shortcut_scale": 0.5}, 0),
    "constant scaling: shortcut 0.5, F 0.5": ({"shortcut_scale": 0.5, "body_scale": 0.5}, 0),
    "exclusive gating: 1-g(x), g(x), init b_g=0..-5": ({"shortcut": "exclusive-gate"}, 0),
    "exclusive gating: init b_g=-6": ({"shortcut": "exclusive-gate"}, -6),
    "exclusive gating: init b_g=-7": ({"shortcut": "exclusive-gate"}, -7),
    "shortcut-only gating: 1-g(x), 1, init b_g=0": ({"shortcut": "gate"}, 0),
    "shortcut-only gating: init b_g=-6": ({"shortcut": "gate"}, -6),
    "1x1 conv shortcut": ({"shortcut": "C"}, 0),
    "dropout shortcut 0.5": ({"shortcut": "dropout"}, 0),
}
LEVELS = ("network", "stage", "block", "module")
NOTES = (
    "‖∂E/∂x‖ at the input x of each {place}, of the network as initialised, in train mode: median and spread over "
    "{seeds}; E is the {loss} over {inputs} of {size}",
    "shortcuts' ∏λ (He et al. 2016, Eq. 5 to 8: what reaches the first block past every weight): 1 for identities, "
    "λⁿ for n scaled ones; projections, gates and dropout count as 1; none in a plain network",
    "lines: log ‖∂E/∂x‖ from the first block to the last, on one scale, {low:.3g} to {high:.3g}",
)


def gradient(
    *models: Model,
    scale: float | None = None,
    variants: bool = False,
    shatter: bool = False,
    level: str = "network",
    seeds: int = 5,
    batch: int | None = None,
    progress: Progress = silent,
) -> View:
    """The shortcuts' factor, and the norms measured at initialisation at the input of each block.

    At ``level`` block, stage (its first block) or module there is a line for each. ``scale`` is λ of every
    shortcut; ``variants`` takes the shortcuts of He et al. 2016, Table 1. With ``shatter`` it is how related gradients
    are along a line between two images (`resnet_cli.answers.shatter`). ``batch`` inputs are taken at once, else 8.
    Raises `UserError` for networks without blocks, for files, and (exit 1) without torch.
    """
    if shatter:
        from resnet_cli.answers.shatter import shattered

        for option, typed in (("--level", level != "network"), ("--batch", batch is not None)):
            if typed:
                raise UserError(f"--shatter has no {option}", f"leave out {option}")
        return shattered(*models, scale=scale, variants=variants, seeds=seeds, progress=progress)
    batch = 8 if batch is None else batch
    limits.one_of("level", level, LEVELS)
    limits.within("seeds", seeds, 1000)
    limits.within("batch", batch, 1024)
    chosen = [case for model in models for case in cases(load(model), scale, variants)]
    need("gradient", "torch")
    measured = measure(chosen, seeds, batch, progress, "block" if level == "network" else level)
    if level != "network":
        tables = [analysis.by_block(one) for one in measured]
        tables = [t._replace(key="rows" if not i else f"rows_{i}") for i, t in enumerate(tables)]
    else:
        tables = [analysis.compared(measured)]
    if variants and level == "network":
        tables = [_beside_the_paper(tables[0], chosen, measured)]
    low, high = analysis.extremes(measured)
    values = {"low": low, "high": high, "seeds": several(seeds, "seed")}
    values["inputs"] = several(batch, "random input")
    places = dict.fromkeys(one.of for one in measured)
    values |= {"place": " or ".join(places), "loss": analysis.loss(measured)}
    sizes = dict.fromkeys(case.network.size for case in chosen)
    notes = [note.format(size=" and ".join(sizes), **values) for note in NOTES]
    networks = [
        {
            "name": case.name,
            "model": case.network.name,
            "input": [*case.network.input],
            "blocks": [
                {"path": path, "label": label, "norms": [run[at] for run in one.norms]}
                for at, (path, label) in enumerate(one.places.items())
            ],
        }
        for case, one in zip(chosen, measured, strict=True)
    ]
    given = [case.network for case in chosen]
    return beside(given, "gradient", tables, notes, seeds=seeds, batch=batch, networks=networks)


def cases(network: Network, scale: float | None = None, variants: bool = False) -> list[Case]:
    """The network, with its shortcuts scaled or in all variants; raises `UserError` without blocks."""
    spec = network.spec
    if spec is None:
        if scale is not None or variants:
            raise UserError(
                f"{network.name} has no spec whose shortcuts could be scaled or varied",
                "give a listed network or a TOML file",
            )
        engines.source(network)  # which a file has none of
        return [Case(network.name, network)]
    if isinstance(spec, VGG):
        raise UserError(f"{spec.name} has no residual blocks", "give residual or plain networks")
    if not isinstance(spec, ResNet):
        if variants or scale is not None:
            raise UserError(
                f"the shortcuts of {spec.name} are neither scaled nor varied",
                "give a ResNet, such as resnet110",
            )
        return [Case(spec.name, network)]
    if spec.shortcut == "none" and (variants or scale is not None):
        raise UserError(f"{spec.name} has no shortcuts", "give a residual network")
    if variants and scale is not None:
        raise UserError("both --variants and --scale given", "give one of them")
    if variants:
        return [
            Case(name, network.changed(**changes), bias)
            for name, (changes, bias) in VARIANTS.items()
        ]
    if scale is not None:
        return [Case(f"{spec.name}, λ {scale:g}", network.changed(shortcut_scale=scale))]
    return [Case(spec.name, network)]


def measure(
    cases: Sequence[Case],
    seeds: int,
    batch: int,
    progress: Progress = silent,
    level: str = "block",
) -> list[analysis.Measured]:
    """Each case for each seed; raises `UserError` where memory would not do."""
    for case in cases:
        fits(case.network.rows, train_on=batch)
    from resnet_cli.pytorch import gradient

    places = [analysis.places(case.network, level) for case in cases]
    runs = [(at, seed) for at in range(len(cases)) for seed in range(seeds)]
    norms: list[list[gradient.Norms]] = [[] for _ in cases]
    for at, seed in progress(runs, "measuring", _announced(cases, seeds, batch)):
        case, source = cases[at], engines.source(cases[at].network)
        norms[at].append(gradient.norms(source, [*places[at][0]], seed, batch, case.gate_bias))
    return [
        _measured(case, *of_places, runs)
        for case, of_places, runs in zip(cases, places, norms, strict=True)
    ]


def _measured(
    case: Case, places: Mapping[str, str], of: str, runs: Sequence[Norms]
) -> analysis.Measured:
    """Without the places that no gradient comes by; raises `UserError` (exit 1) where it comes by none."""
    met = {path: label for path, label in places.items() if all(path in r.by_path for r in runs)}
    if not met:
        raise UserError(f"no gradient comes by the modules of {case.name}", "give a larger part", 1)
    norms = [[run.by_path[path] for path in met] for run in runs]
    return analysis.Measured(case.name, case.network, norms, met, runs[0].classifies, of)


def _announced(cases: Sequence[Case], seeds: int, batch: int) -> str:
    """What is run, and how to run less of it, where that takes long."""
    passes = (sum(map(sum, costs(case.network.rows))) for case in cases)
    macs = sum(passes) * seeds * batch
    if macs < LONG:
        return ""
    networks = f"{len(cases)} network{'s' * (len(cases) > 1)}"
    sizes = " and ".join(dict.fromkeys(case.network.size for case in cases))
    return (
        f"{networks} × {seeds} seeds, forward and back on {batch} inputs of {sizes}: {short_and_exact(macs)} MACs; "
        "less with --seeds 1 or a smaller --batch"
    )


def _beside_the_paper(
    table: Table, cases: Sequence[Case], measured: Sequence[analysis.Measured]
) -> Table:
    """The table with what each variant costs, and the error that the paper printed for ResNet-110."""
    printed = {
        f.printed_name: f.printed
        for f in figures()
        if (f.source, f.table) == ("He et al. 2016", "Table 1")
    }
    cost = (
        Column("params", "params", "count", drop=5),
        Column("macs", "MACs", "count", drop=6),
        Column("error", "paper's error"),
    )
    rows = []
    for line, case, one in zip(table.rows, cases, measured, strict=True):
        total, error = counts.totals(one.network.rows), printed[case.name]
        error = error if error == "fail" else f"{error}%"
        rows.append((*line[:-1], total["params"], total["macs"], error, line[-1]))
    columns = (*table.columns[:-1], *cost, table.columns[-1])
    return table._replace(columns=columns, rows=rows)
