"""flops(): the cost of one input by stage, block, layer or operator, by whichever rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from resnet_cli.analyses import levels, published
from resnet_cli.analyses.cost import counts
from resnet_cli.analyses.cost import flops as analysis
from resnet_cli.analyses.levels import Level
from resnet_cli.analyses.notation import several
from resnet_cli.answers.view import Model, View, about, cost_notes, short_and_exact
from resnet_cli.designs.limits import one_of
from resnet_cli.errors import UserError
from resnet_cli.models import load
from resnet_cli.networks import Network
from resnet_cli.published import figures
from resnet_cli.tables import Table

UNITS = ("mac", "flop")
ENGINES = ("trace", "fvcore", "torch")


def flops(
    model: Model,
    level: str | int | None = None,
    unit: str | None = None,
    engine: str | None = None,
    convention: str | None = None,
    reconcile: bool = False,
    backward: bool = False,
) -> View:
    """MACs of one input by stage (or another ``level``: block, layer, module, operator), then by operator.

    ``unit`` mac or flop comes first. ``engine`` fvcore or torch counts instead of the trace;
    ``convention`` counts by another tool's rule, ``reconcile`` lists what every tool prints,
    ``backward`` adds a training step's gradients. Raises `UserError` for two of these at once.
    """
    network = load(model)
    by = levels.of(network, level)
    one_of("unit", unit or "mac", UNITS)
    one_of("engine", engine or "trace", ENGINES)
    given = {"--reconcile": reconcile, "--backward": backward, "--convention": convention,
             "--engine": engine, "--unit": unit, "--level": level}  # fmt: skip
    if reconcile:
        _refuse(given, beside="--reconcile")
        return _reconcile(network)
    if backward:
        _refuse(given, beside="--backward", but="--level")
        return _backward(network, by)
    if convention is not None:
        _refuse(given, beside="--convention", but="--level")
        return _convention(network, by, convention)
    macs, notes = counts.macs_of(network.rows), [*by.notes, *cost_notes(network)]
    total = counts.totals(network.rows)
    if engine in ("fvcore", "torch"):
        macs, said = _engine(network, engine)
        total |= {"macs": sum(macs), "flops": 2 * sum(macs)}
        notes.append(said)
    tables = _tables(network, macs, by, unit or "mac")
    notes.append(analysis.words(network.rows))
    answer = about(network, "flops", tables, notes, total, engine=engine or "trace")
    costs = [line for line in answer.envelope["published"] if line["quantity"] == "flops"]
    agreements = published.explained(line["agrees"] for line in costs)
    return answer._replace(
        tables=[*answer.tables, *published.tables(costs)], notes=[*answer.notes, *agreements]
    )


def _refuse(given: dict[str, Any], beside: str, but: str = "") -> None:
    """Raises `UserError` when another option is given that would say otherwise."""
    for option, value in given.items():
        if value and option not in (beside, but):
            raise UserError(f"both {beside} and {option} given", "give one of them")


def _tables(network: Network, macs: Sequence[int], by: Level, unit: str) -> list[Table]:
    first = analysis.flops(network.rows, by, unit, macs)._replace(key="rows")
    if by.key == "operator":
        return [first]
    operators = levels.level(network.rows, "operator")
    return [first, analysis.flops(network.rows, operators, unit, macs)]


def _engine(network: Network, engine: str) -> tuple[list[int], str]:
    """Each row's MACs as fvcore or torch counts them in a run, and a note on what that leaves out."""
    from resnet_cli.answers import engines
    from resnet_cli.answers.needs import need

    need(f"flops --engine {engine}", *(("torch", "fvcore") if engine == "fvcore" else ("torch",)))
    kept = "parameters, shapes and other operations are the trace's"
    if engine == "torch":
        cost = engines.torch(network)
        said = (
            "MACs by torch.utils.flop_counter, halved, on the built network: convolutions and matrix "
            f"products alone, it does not say what it leaves out; {kept}"
        )
    else:
        cost = engines.fvcore(network)
        left_out = ", ".join(
            f"{name} ({several(n, 'time')})" for name, n in sorted(cost.left_out.items())
        )
        said = (
            f"MACs by fvcore on the built network, in eval(); it meets and does not count: "
            f"{left_out or 'nothing'}; its {sum(cost.operations.values()):,} for norms and adaptive "
            f"pooling are left out here; {kept}"
        )
    return analysis.measured(network.rows, cost.macs), said


def _convention(network: Network, by: Level, name: str) -> View:
    from resnet_cli.answers.convention import recounted

    counted = recounted(network, name)
    tables = [counted.named(table) for table in _tables(network, counted.counts, by, "mac")]
    return about(network, "flops", tables, [*by.notes, *counted.notes], convention=counted.envelope)


def _reconcile(network: Network) -> View:
    from resnet_cli.analyses.cost import conventions
    from resnet_cli.published.conventions import conventions as known

    macs = counts.macs(network.rows)
    lines = [
        *conventions.by_tools(network, known().values()),
        *conventions.by_papers(network, figures()),
    ]
    notes = [
        f"what each tool prints for {network.asked}, in eval(): our MACs, then term by term",
        f"MACs of the ledger: multiply-accumulates of {counts.multiplied(network.rows)} layers",
        "checked: the tool itself, in the version named, printed the same for this network",
        *published.explained(line.checked for line in lines),
    ]
    table = conventions.reconcile(lines, macs)
    return about(network, "flops", [table], notes, ledgers=conventions.ledgers(lines, macs))


def _backward(network: Network, by: Level) -> View:
    from resnet_cli.analyses.cost.training import training

    table = training(network.rows, by)
    whole = dict(zip([column.key for column in table.columns], table.total or (), strict=True))
    costs = {key: whole[key] for key in list(whole)[len(by.columns) :]}
    forward, step = costs["forward"], costs["training"]
    notes = [
        *by.notes,
        f"a training step has {step / max(forward, 1):.3f} times the MACs of the forward pass",
        cost_notes(network)[0],
        "each gradient has a MAC for each of the forward pass; none is taken of the network's input, "
        "so the first convolution has that of its weights alone; gradients of biases and norms "
        "are sums, not MACs",
    ]
    if network.more > 1:
        batch = f"{network.batch:,}: {short_and_exact(step * network.batch)} MACs"
        notes.insert(len(by.notes) + 1, f"a training step on a batch of {batch}")
    return about(network, "flops", [table], notes, training=costs)
