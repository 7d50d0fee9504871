"""explain(): how a depth, parameter count, cost or shape comes about."""

from __future__ import annotations

from resnet_cli.analyses.explain import depth
from resnet_cli.analyses.explain import explain as analysis
from resnet_cli.answers.view import Model, View, about, cost_notes
from resnet_cli.designs.limits import one_of
from resnet_cli.errors import UserError, typed
from resnet_cli.layers.arithmetic import Step
from resnet_cli.networks import Network, load
from resnet_cli.tables import Table
from resnet_cli.trace import Row

COUNTED = (
    "counted are convolutions and linear layers of the main path (He et al. 2015, Table 1): batch "
    "norm, ReLU, pooling and additions are none, and projections and gates stand beside the path"
)
LEARNED = (
    "params: learnable; k: kernel, c_in and c_out: channels, 2·c: scale and shift of a norm with c channels, "
    "whose running statistics are not learned"
)
SIZES = (
    "n: height or width of the input, k: kernel, s: stride, p: padding on each side; a padding of "
    "⌊(k − 1) / 2⌋ keeps n where the stride is 1 and k odd"
)
BALANCE = (
    "half of the height and width leaves a quarter of the places, twice the channels in and out make "
    "four times the weights: 1/2 · 1/2 · 2 · 2 = 1, the same cost a layer (He et al. 2015, Sec. 3.3)"
)
Explained = tuple[list[Table], list[str]]


def explain(what: str, model: Model, layer: str | None = None) -> View:
    """A number step by step: ``what`` is depth, params, flops or shape.

    ``layer`` is a path of torch's (layer2.0.conv1) or a paper's label (conv3_1, conv3_x); without one
    it is the whole network. Raises `UserError` for a number or a layer that there is not.
    """
    one_of("number to explain", what, tuple(EXPLAINED))
    network = load(model)
    rows = network.rows if layer is None else analysis.select(network.rows, layer)
    tables, notes = EXPLAINED[what](network, rows, layer)
    title = f"{what} of {network.title}" + (f", {layer}" if layer else "")
    tables[0] = tables[0]._replace(title=title)
    return about(network, "explain", tables, notes)


def _depth(network: Network, rows: list[Row], layer: str | None) -> Explained:
    if layer is not None:
        raise UserError(
            f"a depth is the whole network's, and {layer!r} a part of it",
            f"leave it out: {typed('explain', 'depth', network.name)}",
        )
    return [analysis.table(depth.steps(rows, network.name))], [COUNTED]


def _params(network: Network, rows: list[Row], layer: str | None) -> Explained:
    return [analysis.table(analysis.ladder(rows, analysis.parameters))], [LEARNED]


def _flops(network: Network, rows: list[Row], layer: str | None) -> Explained:
    steps = analysis.ladder(rows, analysis.macs)
    macs = steps[-1].result
    steps.append(Step("FLOPs", "two a MAC", f"2·{macs:,}", 2 * macs))
    note, *batch = cost_notes(network)
    if network.batch > 1:
        batch[0] = f"batch of {network.batch:,}: {macs * network.batch:,} MACs"
    return [analysis.table(steps)], [
        "norms, activations, pooling and additions have no MACs: see resnet-cli flops --by operator",
        note,
        *batch,
    ]


def _shape(network: Network, rows: list[Row], layer: str | None) -> Explained:
    if layer is not None:
        if len({row.path for row in rows}) == 1:
            return [analysis.table(analysis.shape(rows[0]))], [SIZES]
        chosen = [row for row in rows if row.layer.resizes] or rows[-1:]
        return [analysis.table(analysis.chain(chosen))], [SIZES]
    changing = list(filter(analysis.halves, rows))
    notes = [SIZES] if changing else ["no layer changes height or width; the last is shown", SIZES]
    tables = [analysis.table(analysis.chain(changing or rows[-1:]))]
    equal = analysis.balance(rows)
    if not equal:
        return tables, notes
    tables.append(analysis.table(equal, "balance", "MACs of one layer in each stage"))
    every = len({step.result for step in equal}) == 1
    verdict = "all equal" if every else "equal where the channels double as height and width halve"
    return tables, [*notes, f"{BALANCE}; here {verdict}"]


EXPLAINED = {"depth": _depth, "params": _params, "flops": _flops, "shape": _shape}
