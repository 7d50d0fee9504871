"""resnet-cli gradient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple

import typer

from resnet_cli import models
from resnet_cli.analyses import gradient as analysis
from resnet_cli.analyses.cost import counts
from resnet_cli.commands.extras import fits, need, progress
from resnet_cli.commands.options import answers, complete
from resnet_cli.designs import limits, zoo
from resnet_cli.designs.resnet import ResNet
from resnet_cli.errors import UserError
from resnet_cli.published import figures
from resnet_cli.tables import Answer, Column, Table
from resnet_cli.trace import Row, trace


class Case(NamedTuple):
    """A network to measure: what it is called here, and what its gates start from."""

    name: str
    spec: zoo.Spec
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
NOTES = (
    "‖∂E/∂x‖ at the input x of each block, of the network as initialised, in train mode: median and spread over "
    "{seeds} seeds; E is the mean cross-entropy of random labels over {batch} random inputs of {size}",
    "shortcuts' ∏λ (He et al. 2016, Eq. 5 to 8: what reaches the first block past every weight): 1 for identities, "
    "λⁿ for n scaled ones; projections, gates and dropout count as 1; none in a plain network",
    "lines: log ‖∂E/∂x‖ from the first block to the last, on one scale, {low:.3g} to {high:.3g}",
)


@answers
def command(
    networks: Annotated[
        list[str], typer.Argument(metavar="MODEL…", help="Networks.", autocompletion=complete)
    ],
    scale: Annotated[float | None, typer.Option(help="λ of every shortcut.")] = None,
    variants: Annotated[
        bool, typer.Option("--variants", help="The shortcuts of He et al. 2016, Table 1.")
    ] = False,
    by: Annotated[str, typer.Option(help="A row for each network or block.")] = "network",
    seeds: Annotated[int, typer.Option(help="Networks drawn and measured.")] = 5,
    batch: Annotated[int, typer.Option(help="Inputs at once.")] = 8,
) -> Answer:
    """How a gradient gets through: the shortcuts' factor, and norms measured at initialisation."""
    limits.one_of("grouping", by, ("network", "block"))
    limits.within("seeds", seeds, 1000)
    limits.within("batch", batch, 1024)
    found = [case for name in networks for case in cases(models.load(name), scale, variants)]
    need("gradient", "torch")
    measured = measure(found, seeds, batch)
    if by == "block":
        tables = [analysis.by_block(one) for one in measured]
        tables = [t._replace(key="rows" if not i else f"rows_{i}") for i, t in enumerate(tables)]
    else:
        tables = [analysis.compared(measured)]
    if variants and by == "network":
        tables = [_beside_the_paper(tables[0], found, measured)]
    low, high = analysis.extremes(measured)
    values = {"low": low, "high": high, "seeds": seeds, "batch": batch}
    sizes = dict.fromkeys("×".join(map(str, case.spec.input_shape)) for case in found)
    notes = [note.format(size=" and ".join(sizes), **values) for note in NOTES]
    return Answer(_envelope(found, measured, seeds, batch), tables, notes)


def cases(spec: zoo.Spec, scale: float | None = None, variants: bool = False) -> list[Case]:
    """The network, with its shortcuts scaled or in all variants; raises `UserError` without blocks."""
    if not isinstance(spec, ResNet):
        raise UserError(f"{spec.name} has no residual blocks", "give residual or plain networks")
    if spec.shortcut == "none" and (variants or scale is not None):
        raise UserError(f"{spec.name} has no shortcuts", "give a residual network")
    if variants and scale is not None:
        raise UserError("both --variants and --scale given", "give one of them")
    if variants:
        return [
            Case(name, zoo.changed(spec, **changes), bias)
            for name, (changes, bias) in VARIANTS.items()
        ]
    if scale is not None:
        return [Case(f"{spec.name}, λ {scale:g}", zoo.changed(spec, shortcut_scale=scale))]
    return [Case(spec.name, spec)]


def measure(cases: Sequence[Case], seeds: int, batch: int) -> list[analysis.Measured]:
    """Each case for each seed, with a bar on stderr; raises `UserError` where memory would not do."""
    traced: list[list[Row]] = [trace(c.spec.net(), c.spec.input_shape) for c in cases]
    for rows in traced:
        fits(rows, train_on=batch)
    from resnet_cli.pytorch import gradient

    runs = [(at, seed) for at in range(len(cases)) for seed in range(seeds)]
    norms: list[list[list[float]]] = [[] for _ in cases]
    for at, seed in progress(runs, "measuring"):
        case = cases[at]
        blocks = list(analysis.blocks(traced[at]))
        norms[at].append(gradient.norms(case.spec, blocks, seed, batch, case.gate_bias))
    return [
        analysis.Measured(case.name, rows, found)
        for case, rows, found in zip(cases, traced, norms, strict=True)
    ]


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
        total, error = counts.totals(one.rows), printed[case.name]
        error = error if error == "fail" else f"{error}%"
        rows.append((*line[:-1], total["params"], total["macs"], error, line[-1]))
    columns = (*table.columns[:-1], *cost, table.columns[-1])
    return table._replace(columns=columns, rows=rows)


def _envelope(
    cases: Sequence[Case], measured: Sequence[analysis.Measured], seeds: int, batch: int
) -> dict[str, Any]:
    networks = [
        {
            "name": case.name,
            "model": case.spec.name,
            "input": list(case.spec.input_shape),
            "blocks": [
                {"path": path, "label": label, "norms": [run[at] for run in one.norms]}
                for at, (path, label) in enumerate(analysis.blocks(one.rows).items())
            ],
        }
        for case, one in zip(cases, measured, strict=True)
    ]
    return {"command": "gradient", "seeds": seeds, "batch": batch, "rows": [], "networks": networks}
