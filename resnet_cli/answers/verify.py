"""verify(): every count by independent routes."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from resnet_cli.analyses import published
from resnet_cli.analyses import verify as analysis
from resnet_cli.analyses.built import modules
from resnet_cli.analyses.cost import counts
from resnet_cli.analyses.notation import several
from resnet_cli.answers import engines, verify_file
from resnet_cli.answers.gradient import Progress, silent
from resnet_cli.answers.needs import need
from resnet_cli.answers.view import Model, View, beside
from resnet_cli.designs import zoo
from resnet_cli.errors import UserError
from resnet_cli.graphs.pt2.leaves import PRODUCTS
from resnet_cli.layers.arithmetic import Shape
from resnet_cli.models import load
from resnet_cli.networks import Network
from resnet_cli.published import figures
from resnet_cli.tables import Column, Table
from resnet_cli.trace import modules as parts
from resnet_cli.trace import state_dict

if TYPE_CHECKING:
    from resnet_cli.pytorch.instance import Instance

Ran: TypeAlias = tuple[str, Shape]

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
OF_MODULE = (
    "module: parameters of the torch module itself, whose shapes in a run are compared too; "
    "fvcore and torch's flop counter (halved): multiply-accumulates, module by module"
)

AS_FVCORE_SEES_THEM = ("_convolution_mode", "_native_multi_head_attention")
"""Other names of operators that multiply."""


class Checked(NamedTuple):
    """One network by every route; ``problems`` is empty where all agree.

    ``left_out`` are the operators that fvcore meets and does not count, ``notes`` what could not be done,
    ``compared`` whether anything was run beside it.
    """

    network: Network
    routes: list[analysis.Route]
    left_out: dict[str, int]
    published: str
    problems: list[str]
    notes: list[str]
    compared: bool = True

    @property
    def agrees(self) -> str:
        """Whether all agree, in a word."""
        if not self.compared:
            return "not compared"
        return "no" if self.problems else "yes"


def verify(*models: Model, progress: Progress = silent) -> View:
    """Counts by the built module, fvcore, torch's flop counter and the papers; of the whole list if none is named.

    Of a file: by torch's operators or onnxruntime. Raises `UserError` (exit 1) without torch or fvcore; the
    answer's ``code`` is 1 where something does not agree.
    """
    checked = [check(load(model)) for model in progress(models or zoo.NETWORKS, "verifying")]
    problems = [f"{c.network.name}: {problem}" for c in checked for problem in c.problems]
    notes = [*problems, *_notes(checked)]
    if len(checked) == 1:
        (one,) = checked
        if one.published:
            notes.insert(len(problems), f"published figures as on record: {one.published}")
        rows, routes = one.network.rows, one.routes
        table = (
            analysis.by_stage(rows, routes)
            if one.network.spec
            else analysis.by_module(rows, routes, one.agrees)
        )._replace(title=one.network.title)
    else:
        table = Table("rows", "", COLUMNS, [_line(one) for one in checked])
    agree = sum(one.agrees == "yes" for one in checked)
    notes.insert(0, f"{agree} of {len(checked)} agree by every route")
    answer = beside([one.network for one in checked], "verify", [table], notes)
    return answer._replace(code=int(bool(problems)))


def _notes(checked: Sequence[Checked]) -> list[str]:
    """What the routes are, and what they leave out."""
    left_out: dict[str, int] = {}
    for one in checked:
        for operator, times in one.left_out.items():
            left_out[operator] = left_out.get(operator, 0) + times
    kinds = [one.network for one in checked]
    named = len(checked) > 1
    notes = [
        f"{one.network.name}: {note}" if named else note for one in checked for note in one.notes
    ]
    notes += [NOTE] * any(network.spec for network in kinds)
    notes += [OF_MODULE] * any(network.origin.kind == "module" for network in kinds)
    if left_out:
        operators = ", ".join(
            f"{operator} ({several(times, 'time')})" for operator, times in sorted(left_out.items())
        )
        notes.append(
            f"fvcore meets and does not count: {operators}; it counts norms and adaptive pooling, which are "
            "left out here; torch's flop counter has convolutions and matrix products alone"
        )
    return notes


def check(network: Network) -> Checked:
    """One network, by every route that there is for it."""
    gc.collect()  # the last network is let go before this one takes memory
    if network.spec is not None:
        need("verify", "torch", "fvcore")
        return _described(network, network.spec)
    if network.origin.kind == "module":
        need("verify", "torch")
        return _module(network)
    by, problems = verify_file.checked(network)
    compared = bool(by.shapes)
    return Checked(network, by.routes, {}, "", problems, by.notes, compared)


def _described(network: Network, spec: zoo.Spec) -> Checked:
    """The network of a spec, built and counted."""
    from resnet_cli.pytorch import measure

    rows = network.rows
    with engines.instance(network) as called:
        net = called.module
        problems = []
        if [*measure.tensors(net).items()] != [*state_dict(rows).items()]:
            problems.append("the module's keys, their order or shapes are not those of the trace")
        ran = [(path, shape[1:]) for path, shape in measure.run(called)]
        leaves = [(row.path, row.output) for row in modules(rows)]
        if ran != leaves:
            first = next(
                (p for p in zip(ran, leaves, strict=False) if p[0] != p[1]), "the last layer"
            )
            problems.append(f"a run has other layers or shapes than the trace, from {first} on")
        params, torchs = measure.parameters(net), measure.flop_counter(called)
    fvcore = engines.fvcore(network)
    routes = [
        analysis.Route("module", "params", params),
        analysis.Route("fvcore", "macs", {path: n for path, n in fvcore.macs.items() if n}),
        analysis.Route("torch", "macs", {path: n for path, n in torchs.macs.items() if n}),
    ]
    for route in routes:
        problems += filter(None, [analysis.difference(analysis.ours(rows, route.counted), route)])
    compared = published.counted(spec, figures())
    counted = sum(ours is not None for _, ours in compared)
    unmet = published.unexpected(compared)
    text = f"{counted - len(unmet)} of {counted}"
    return Checked(network, routes, fvcore.left_out, text, [*problems, *unmet], [])


def _module(network: Network) -> Checked:
    """The network of a torch module, which is counted and run; with numbers only where it must be."""
    from resnet_cli.pytorch import measure

    rows = network.rows

    def counts_of(called: Instance) -> tuple[list[str], dict[str, int], list[Ran], dict[str, int]]:
        net = called.module
        return (
            measure.modules(net), measure.parameters(net), measure.run(called),
            measure.flop_counter(called).macs,
        )  # fmt: skip

    paths, params, ran, macs = engines.measured(network, counts_of)
    run = {part for path in macs for part in ("", *parts(path))}
    running = [path for path in paths if path in run]  # others may lend another one their weights
    routes = [
        analysis.Route("module", "params", analysis.nested(params, paths)),
        analysis.Route("torch", "macs", analysis.nested(macs, running)),
    ]
    left_out, notes = {}, []
    try:
        need("verify", "fvcore")
        fvcore = engines.fvcore(network)
    except UserError as problem:
        notes.append(f"not counted by fvcore: {problem.what}")
    else:
        left_out = fvcore.left_out
        products = sorted(left_out.keys() & {*PRODUCTS, *AS_FVCORE_SEES_THEM})
        by_path = analysis.nested(fvcore.macs, running)
        routes.insert(1, analysis.Route("fvcore", "macs", by_path, not products))
        if products:
            notes.append(
                f"fvcore leaves out {' and '.join(products)}, which {'multiply' if products[1:] else 'multiplies'}: "
                "its number is no check"
            )
    problems = [analysis.shape_difference(rows, ran, network.batch)]
    for route in routes:
        if route.checks:
            own = analysis.nested(analysis.ours(rows, route.counted), [*route.by_path])
            problems.append(analysis.difference(own, route))
    return Checked(network, routes, left_out, "", [*filter(None, problems)], notes)


def _line(one: Checked) -> tuple[Any, ...]:
    total = counts.totals(one.network.rows)
    by_name = {route.name: analysis.total(route) for route in one.routes}
    return (
        one.network.name, total["params"], by_name.get("module"), total["macs"], by_name.get("fvcore"),
        by_name.get("torch"), one.published, one.agrees,
    )  # fmt: skip
