"""resnet-cli flops."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from resnet_cli.analyses import published
from resnet_cli.analyses.cost import counts
from resnet_cli.analyses.cost.flops import GROUPS, measured
from resnet_cli.analyses.cost.flops import flops as analyse
from resnet_cli.commands.options import Network, about_a_network
from resnet_cli.designs.limits import one_of
from resnet_cli.errors import UserError
from resnet_cli.published import figures
from resnet_cli.tables import Answer, Table
from resnet_cli.trace import Row

OPERATIONS = (
    "FLOPs: two a MAC; other operations: batch norm 2 an element, ReLU, addition, sigmoid and "
    "scale 1, bias 1, a k×k max pool k² - 1 an output, average pool 1 an input"
)


@about_a_network
def command(
    network: Network,
    by: Annotated[
        str | None, typer.Option(help="A row for each stage (default), block, layer or operator.")
    ] = None,
    unit: Annotated[
        str | None, typer.Option(help="Which comes first: mac (default), or flop (two a MAC).")
    ] = None,
    engine: Annotated[
        str | None,
        typer.Option(help="Who counts the MACs: trace (default), fvcore, torch; those two run it."),
    ] = None,
    convention: Annotated[
        str | None, typer.Option(help="Count by another tool's rule: fvcore, thop, torchinfo, ...")
    ] = None,
    reconcile: Annotated[
        bool,
        typer.Option("--reconcile", help="What each tool prints, and the way there from ours."),
    ] = False,
    backward: Annotated[
        bool, typer.Option("--backward", help="MACs of a training step: forward and gradients.")
    ] = False,
) -> Answer:
    """The cost of one input: MACs by stage with a bar, then by operator."""
    one_of("grouping", by or "stage", tuple(GROUPS))
    one_of("unit", unit or "mac", ("mac", "flop"))
    one_of("engine", engine or "trace", ("trace", "fvcore", "torch"))
    given = {"--reconcile": reconcile, "--backward": backward, "--convention": convention,
             "--engine": engine, "--unit": unit, "--by": by}  # fmt: skip
    if reconcile:
        _refuse(given, beside="--reconcile")
        return _reconcile(network)
    if backward:
        _refuse(given, beside="--backward", but="--by")
        return _backward(network, by or "stage")
    if convention is not None:
        _refuse(given, beside="--convention", but="--by")
        return _convention(network, by or "stage", convention)
    rows, notes = network.rows, network.convention(counts.totals(network.rows)["macs"])
    if engine in ("fvcore", "torch"):
        rows, said = _engine(network, engine)
        notes.append(said)
    tables = _tables(network, rows, by or "stage", unit or "mac")
    envelope = network.envelope("flops", counts.totals(rows)) | {"engine": engine or "trace"}
    costs = [line for line in envelope["published"] if line["quantity"] == "flops"]
    return Answer(envelope, [*tables, *published.tables(costs)], [*notes, OPERATIONS])


def _refuse(given: dict[str, Any], beside: str, but: str = "") -> None:
    """Raises `UserError` when another option is given that would say otherwise."""
    for option, value in given.items():
        if value and option not in (beside, but):
            raise UserError(f"both {beside} and {option} given", "give one of them")


def _tables(network: Network, rows: list[Row], by: str, unit: str) -> list[Table]:
    tables = [analyse(rows, by, unit)._replace(key="rows", title=network.title())]
    return tables if by == "operator" else [*tables, analyse(rows, "operator", unit)]


def _engine(network: Network, engine: str) -> tuple[list[Row], str]:
    """The rows with the MACs that fvcore or torch counts in a run, and a note on what it leaves out."""
    from resnet_cli.commands.extras import need

    need(f"flops --engine {engine}", *(("torch", "fvcore") if engine == "fvcore" else ("torch",)))
    from resnet_cli.pytorch import measure
    from resnet_cli.pytorch.build import build

    net = build(network.spec, device="meta")
    kept = "parameters, shapes and other operations are the trace's"
    if engine == "torch":
        cost = measure.flop_counter(net, network.spec.input_shape)
        said = (
            "MACs by torch.utils.flop_counter, halved, on the built network: convolutions and matrix "
            f"products alone, it does not say what it leaves out; {kept}"
        )
    else:
        cost = measure.fvcore(measure.zeroed(net), network.spec.input_shape)
        left_out = ", ".join(f"{name} ({n} times)" for name, n in sorted(cost.left_out.items()))
        said = (
            f"MACs by fvcore on the built network, in eval(); it meets and does not count: "
            f"{left_out or 'nothing'}; its {sum(cost.operations.values()):,} for batch norm and adaptive "
            f"pooling are left out here; {kept}"
        )
    return measured(network.rows, cost.macs), said


def _convention(network: Network, by: str, name: str) -> Answer:
    from resnet_cli.commands.convention import recounted

    counted = recounted(network, name)
    envelope = network.envelope("flops", counts.totals(network.rows))
    envelope["convention"] = counted.envelope
    tables = _tables(network, counted.rows, by, "mac")
    return Answer(envelope, [counted.named(table) for table in tables], counted.notes)


def _reconcile(network: Network) -> Answer:
    from resnet_cli.analyses.cost import conventions
    from resnet_cli.published.conventions import conventions as known

    total = counts.totals(network.rows)
    lines = [
        *conventions.by_tools(network.spec, network.rows, known().values()),
        *conventions.by_papers(network.spec, network.rows, figures()),
    ]
    table = conventions.reconcile(lines, total["macs"])._replace(title=network.title())
    size = "×".join(map(str, network.spec.input_shape))
    notes = [
        f"what each tool prints for one input of {size}, in eval(): our MACs, then term by term",
        "MACs of the ledger: multiply-accumulates of convolution and linear layers",
        "checked: the tool itself, in the version named, printed the same for this network",
    ]
    envelope = network.envelope("flops", total)
    envelope["ledgers"] = conventions.ledgers(lines, total["macs"])
    return Answer(envelope, [table], notes)


def _backward(network: Network, by: str) -> Answer:
    from resnet_cli.analyses.cost.training import training

    table = training(network.rows, by)._replace(title=network.title())
    assert table.total is not None
    _, forward, *_, step = table.total
    envelope = network.envelope("flops", counts.totals(network.rows))
    keys = [column.key for column in table.columns[1:]]
    envelope["training"] = dict(zip(keys, table.total[1:], strict=True))
    notes = [
        f"a training step has {step / max(forward, 1):.3f} times the MACs of the forward pass",
        network.convention(forward)[0],
        "each gradient has a MAC for each of the forward pass; none is taken of the network's input, "
        "so the first convolution has that of its weights alone; gradients of biases and batch norm "
        "are sums, not MACs",
    ]
    if network.batch > 1:
        batch = f"{network.batch:,}: {step * network.batch:,} MACs"
        notes.insert(1, f"a training step on a batch of {batch}")
    return Answer(envelope, [table], notes)
