"""verify(): every count by independent routes."""

from __future__ import annotations

import gc
from typing import Any, NamedTuple

from resnet_cli.analyses import published
from resnet_cli.analyses import verify as analysis
from resnet_cli.analyses.built import modules
from resnet_cli.analyses.cost import counts
from resnet_cli.analyses.notation import several
from resnet_cli.answers.gradient import Progress, silent
from resnet_cli.answers.needs import described, need
from resnet_cli.answers.view import Model, View, beside
from resnet_cli.designs import zoo
from resnet_cli.networks import Network, load
from resnet_cli.published import figures
from resnet_cli.tables import Column, Table
from resnet_cli.trace import state_dict

COLUMNS = (
    Column("name", "network"),
    Column("params", "params", "exact"),
    Column("params_module", "module", "exact", drop=4),
    Column("macs", "MACs", "exact"),
    Column("macs_fvcore", "fvcore", "exact", drop=3),
    Column("macs_torch", "flop counter", "exact", drop=2),
    Column("published", "published", drop=1),
    Column("agrees", "agrees"),
)
NOTE = (
    "module: parameters of the built torch module, whose keys, their order and shapes, and whose shapes in "
    "a run are compared too; fvcore and torch's flop counter (halved): MACs of convolution and linear layers"
)


class Checked(NamedTuple):
    """One network by every route; ``problems`` is empty where all agree."""

    network: Network
    routes: list[analysis.Route]
    left_out: dict[str, int]
    published: str
    problems: list[str]


def verify(*models: Model, progress: Progress = silent) -> View:
    """Counts by the built module, fvcore, torch's flop counter and the papers; of the whole list if none is named.

    Raises `UserError` (exit 1) without torch or fvcore; the answer's ``code`` is 1 where something
    does not agree.
    """
    need("verify", "torch", "fvcore")
    checked = [check(load(model)) for model in progress(models or zoo.NETWORKS, "verifying")]
    problems = [f"{c.network.name}: {problem}" for c in checked for problem in c.problems]
    left_out: dict[str, int] = {}
    for one in checked:
        for operator, times in one.left_out.items():
            left_out[operator] = left_out.get(operator, 0) + times
    notes = [
        *problems,
        NOTE,
        "fvcore meets and does not count: "
        + ", ".join(
            f"{operator} ({several(times, 'time')})" for operator, times in sorted(left_out.items())
        )
        + "; it counts norms and adaptive pooling, which are left out here; "
        "torch's flop counter has convolutions and matrix products alone",
    ]
    if len(checked) == 1:
        notes.insert(len(problems), f"published figures as on record: {checked[0].published}")
        table = analysis.by_stage(checked[0].network.rows, checked[0].routes)
        table = table._replace(title=f"{checked[0].network.name} ({checked[0].network.family})")
    else:
        table = Table("rows", "", COLUMNS, [_line(one) for one in checked])
    agree = sum(not one.problems for one in checked)
    notes.insert(0, f"{agree} of {len(checked)} agree by every route")
    answer = beside([one.network for one in checked], "verify", [table], notes)
    return answer._replace(code=int(bool(problems)))


def check(network: Network) -> Checked:
    """One network, built and counted by every route."""
    from resnet_cli.pytorch import measure
    from resnet_cli.pytorch.build import build

    gc.collect()  # the last network is let go before this one takes memory
    spec, rows = described(network), network.rows
    net = build(spec, device="meta")
    problems = []
    if [*measure.tensors(net).items()] != [*state_dict(rows).items()]:
        problems.append("the module's keys, their order or shapes are not those of the trace")
    ran = measure.run(net, network.input)
    leaves = [(row.path, row.output) for row in modules(rows)]
    if ran != leaves:
        first = next((p for p in zip(ran, leaves, strict=False) if p[0] != p[1]), "the last layer")
        problems.append(f"a run has other layers or shapes than the trace, from {first} on")
    torchs = measure.flop_counter(net, network.input)
    fvcore = measure.fvcore(measure.zeroed(net), network.input)
    routes = [
        analysis.Route("module", "params", measure.parameters(net)),
        analysis.Route("fvcore", "macs", {p: n for p, n in fvcore.macs.items() if n}),
        analysis.Route("torch", "macs", torchs.macs),
    ]
    problems += filter(None, (analysis.difference(rows, route) for route in routes))
    compared = published.counted(spec, figures())
    counted = sum(ours is not None for _, ours in compared)
    unmet = published.unexpected(compared)
    text = f"{counted - len(unmet)} of {counted}"
    return Checked(network, routes, fvcore.left_out, text, [*problems, *unmet])


def _line(one: Checked) -> tuple[Any, ...]:
    total = counts.totals(one.network.rows)
    module, fvcore, torchs = map(analysis.total, one.routes)
    agrees = "no" if one.problems else "yes"
    return (
        one.network.name, total["params"], module, total["macs"], fvcore, torchs, one.published, agrees,
    )  # fmt: skip
