"""resnet-cli flops."""

from __future__ import annotations

from typing import Annotated

import typer

from resnet_cli.analyses import counts, published
from resnet_cli.analyses.flops import GROUPS
from resnet_cli.analyses.flops import flops as analyse
from resnet_cli.architecture.limits import one_of
from resnet_cli.commands.options import Network, about_a_network
from resnet_cli.table import Answer


@about_a_network
def command(
    network: Network,
    by: Annotated[
        str, typer.Option(help="A row for each stage, block, layer or operator.")
    ] = "stage",
    unit: Annotated[str, typer.Option(help="Which comes first: mac, or flop (two a MAC).")] = "mac",
) -> Answer:
    """The cost of one input: MACs by stage with a bar, then by operator."""
    one_of("grouping", by, tuple(GROUPS))
    one_of("unit", unit, ("mac", "flop"))
    tables = [analyse(network.rows, by, unit)._replace(key="rows", title=network.title())]
    if by != "operator":
        tables.append(analyse(network.rows, "operator", unit))
    total = counts.totals(network.rows)
    notes = [
        *network.convention(total["macs"]),
        "FLOPs: two a MAC; other operations: batch norm 2 an element, ReLU, addition, sigmoid and "
        "scale 1, bias 1, a k×k max pool k² - 1 an output, average pool 1 an input",
    ]
    envelope = network.envelope("flops", total)
    costs = [line for line in envelope["published"] if line["quantity"] == "flops"]
    return Answer(envelope, [*tables, *published.tables(costs)], notes)
