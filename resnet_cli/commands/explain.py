"""resnet-cli explain."""

from __future__ import annotations

import inspect
from typing import Annotated

import typer

from resnet_cli.analyses.cost import counts
from resnet_cli.analyses.explain import explain as analysis
from resnet_cli.commands.options import Command, Network, about_a_network
from resnet_cli.designs.limits import one_of
from resnet_cli.errors import UserError, typed
from resnet_cli.tables import Answer, Table
from resnet_cli.trace import Row

WHAT = ("depth", "params", "flops", "shape")
COUNTED = (
    "counted are convolutions and linear layers of the main path (He et al. 2015, Table 1): batch "
    "norm, ReLU, pooling and additions are none, and projections and gates stand beside the path"
)
LEARNED = (
    "params: learnable; k: kernel, c_in and c_out: channels, c: channels of a batch norm, whose two "
    "running statistics a channel are not learned"
)
SIZES = (
    "n: height or width of the input, k: kernel, s: stride, p: padding on each side; a padding of "
    "⌊(k − 1) / 2⌋ keeps n where the stride is 1 and k odd"
)
BALANCE = (
    "half of the height and width leaves a quarter of the places, twice the channels in and out make "
    "four times the weights: 1/2 · 1/2 · 2 · 2 = 1, the same cost a layer (He et al. 2015, Sec. 3.3)"
)


def what_comes_first(command: Command) -> Command:
    """The same command with its WHAT before MODEL, where it reads as a sentence."""
    given = inspect.signature(command)
    ordered = sorted(given.parameters.values(), key=lambda parameter: parameter.name != "what")
    command.__signature__ = given.replace(parameters=ordered)  # type: ignore[attr-defined]
    return command


@what_comes_first
@about_a_network
def command(
    network: Network,
    what: Annotated[str, typer.Argument(help=f"{', '.join(WHAT)}.")],
    layer: Annotated[
        str | None, typer.Argument(help="A path of torch's (layer2.0.conv1) or a label (conv3_1).")
    ] = None,
) -> Answer:
    """How a depth, parameter count, cost or shape comes about, step by step with the numbers in."""
    one_of("number to explain", what, WHAT)
    total = counts.totals(network.rows)
    rows = network.rows if layer is None else analysis.select(network.rows, layer)
    tables, notes = EXPLAIN[what](network, rows, layer)
    title = f"{what} of {network.title()}" + (f", {layer}" if layer else "")
    tables[0] = tables[0]._replace(title=title)
    return Answer(network.envelope("explain", total), tables, notes)


Explained = tuple[list[Table], list[str]]


def _depth(network: Network, rows: list[Row], layer: str | None) -> Explained:
    if layer is not None:
        raise UserError(
            f"a depth is the whole network's, and {layer!r} a part of it",
            f"leave it out: {typed('explain', 'depth', network.spec.name)}",
        )
    return [analysis.table(analysis.depth(rows, network.spec.name))], [COUNTED]


def _params(network: Network, rows: list[Row], layer: str | None) -> Explained:
    return [analysis.table(analysis.ladder(rows, analysis.parameters))], [LEARNED]


def _flops(network: Network, rows: list[Row], layer: str | None) -> Explained:
    steps = analysis.ladder(rows, analysis.macs)
    macs = steps[-1].result
    steps.append(analysis.Step("FLOPs", "two a MAC", f"2·{macs:,}", 2 * macs))
    return [analysis.table(steps)], [
        "batch norm, ReLU, pooling and additions have no MACs: see resnet-cli flops --by operator",
        *network.convention(macs),
    ]


def _shape(network: Network, rows: list[Row], layer: str | None) -> Explained:
    if layer is not None:
        if len({row.path for row in rows}) == 1:
            return [analysis.table(analysis.shape(rows[0]))], [SIZES]
        chosen = list(filter(analysis.has_window, rows)) or rows[-1:]
        return [analysis.table(analysis.chain(chosen))], [SIZES]
    tables = [analysis.table(analysis.chain(list(filter(analysis.halves, rows))))]
    equal = analysis.balance(rows)
    if not equal:
        return tables, [SIZES]
    tables.append(analysis.table(equal, "balance", "MACs of one layer in each stage"))
    every = len({step.result for step in equal}) == 1
    verdict = "all equal" if every else "equal where the channels double as height and width halve"
    return tables, [SIZES, f"{BALANCE}; here {verdict}"]


EXPLAIN = {"depth": _depth, "params": _params, "flops": _flops, "shape": _shape}
