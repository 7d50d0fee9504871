"""resnet-cli verify."""

from __future__ import annotations

import gc
from typing import Annotated, Any, NamedTuple

import typer

from resnet_cli import models
from resnet_cli.analyses import published
from resnet_cli.analyses import verify as analysis
from resnet_cli.analyses.built import modules
from resnet_cli.analyses.cost import counts
from resnet_cli.commands.extras import need, progress
from resnet_cli.commands.options import answers, complete
from resnet_cli.designs import zoo
from resnet_cli.errors import UserError
from resnet_cli.published import figures
from resnet_cli.tables import Answer, Column, Table
from resnet_cli.trace import Row, state_dict, trace

COLUMNS = (
    Column("name", "network"),
    Column("params", "params", "exact"),
    Column("params_module", "module", "exact", drop=3),
    Column("macs", "MACs", "exact"),
    Column("macs_fvcore", "fvcore", "exact", drop=2),
    Column("macs_torch", "flop counter", "exact", drop=1),
    Column("published", "published", drop=4),
    Column("agrees", "agrees"),
)
NOTE = (
    "module: parameters of the built torch module, whose keys, their order and shapes, and whose shapes in "
    "a run are compared too; fvcore and torch's flop counter (halved): MACs of convolution and linear layers"
)


class Checked(NamedTuple):
    """One network by every route; ``problems`` is empty where all agree."""

    spec: zoo.Spec
    rows: list[Row]
    routes: list[analysis.Route]
    left_out: dict[str, int]
    published: str
    problems: list[str]


@answers
def command(
    networks: Annotated[
        list[str] | None,
        typer.Argument(metavar="[MODEL…]", help="Networks.", autocompletion=complete),
    ] = None,
    all: Annotated[bool, typer.Option("--all", help="Every network of the list.")] = False,
) -> Answer:
    """Every count by independent routes: the built module, fvcore, torch's flop counter, the papers."""
    if bool(networks) == all:
        raise UserError("no network named" if not all else "both MODEL and --all given",
                        "type names, such as resnet50, or --all")  # fmt: skip
    need("verify", "torch", "fvcore")
    specs = list(zoo.NETWORKS) if networks is None else [models.load(name) for name in networks]
    checked = [check(spec) for spec in progress(specs, "verifying")]
    problems = [f"{c.spec.name}: {problem}" for c in checked for problem in c.problems]
    left_out: dict[str, int] = {}
    for one in checked:
        for operator, times in one.left_out.items():
            left_out[operator] = left_out.get(operator, 0) + times
    notes = [
        *problems,
        NOTE,
        "fvcore meets and does not count: "
        + ", ".join(f"{operator} ({times} times)" for operator, times in sorted(left_out.items()))
        + "; it counts batch norm (2 an element) and adaptive pooling, which are left out here; "
        "torch's flop counter has convolutions and matrix products alone",
    ]
    if len(checked) == 1:
        notes.insert(len(problems), f"published figures as on record: {checked[0].published}")
        table = analysis.by_stage(checked[0].rows, checked[0].routes)
        table = table._replace(title=f"{checked[0].spec.name} ({checked[0].spec.family})")
    else:
        table = Table("rows", "", COLUMNS, [_line(one) for one in checked])
    agree = sum(not one.problems for one in checked)
    notes.insert(0, f"{agree} of {len(checked)} agree by every route")
    return Answer({"command": "verify", "rows": []}, [table], notes, int(bool(problems)))


def check(spec: zoo.Spec) -> Checked:
    """One network, built and counted by every route."""
    from resnet_cli.pytorch import measure
    from resnet_cli.pytorch.build import build

    gc.collect()  # the last network is let go before this one takes memory
    rows = trace(spec.net(), spec.input_shape)
    net = build(spec, device="meta")
    problems = []
    if list(measure.tensors(net).items()) != list(state_dict(rows).items()):
        problems.append("the module's keys, their order or shapes are not those of the trace")
    ran = measure.run(net, spec.input_shape)
    leaves = [(row.path, row.output) for row in modules(rows)]
    if ran != leaves:
        first = next((p for p in zip(ran, leaves, strict=False) if p[0] != p[1]), "the last layer")
        problems.append(f"a run has other layers or shapes than the trace, from {first} on")
    torchs = measure.flop_counter(net, spec.input_shape)
    fvcore = measure.fvcore(measure.zeroed(net), spec.input_shape)
    routes = [
        analysis.Route("module", "params", measure.parameters(net)),
        analysis.Route("fvcore", "macs", {p: n for p, n in fvcore.macs.items() if n}),
        analysis.Route("torch", "macs", torchs.macs),
    ]
    problems += filter(None, (analysis.difference(rows, route) for route in routes))
    found = published.counted(spec, figures())
    counted = sum(ours is not None for _, ours in found)
    unmet = published.unexpected(found)
    text = f"{counted - len(unmet)} of {counted}"
    return Checked(spec, rows, routes, fvcore.left_out, text, [*problems, *unmet])


def _line(one: Checked) -> tuple[Any, ...]:
    total = counts.totals(one.rows)
    module, fvcore, torchs = map(analysis.total, one.routes)
    agrees = "no" if one.problems else "yes"
    return (
        one.spec.name, total["params"], module, total["macs"], fvcore, torchs, one.published, agrees,
    )  # fmt: skip
