"""resnet-cli summary."""

from __future__ import annotations

from typing import Annotated

import typer

from resnet_cli.analyses import published
from resnet_cli.analyses.cost import counts
from resnet_cli.analyses.explain import depth
from resnet_cli.analyses.summary import summary as analyse
from resnet_cli.commands.options import Network, about_a_network
from resnet_cli.designs.limits import one_of
from resnet_cli.tables import Answer


@about_a_network
def command(
    network: Network,
    level: Annotated[str, typer.Option(help="A row for each stage, block or layer.")] = "stage",
    convention: Annotated[
        str | None, typer.Option(help="Count by another tool's rule: fvcore, thop, torchinfo, ...")
    ] = None,
) -> Answer:
    """The architecture by stage, block or layer, with parameters and MACs."""
    one_of("level", level, ("stage", "block", "layer"))
    total = counts.totals(network.rows)
    notes = [
        depth.formula(network.rows),
        *filter(None, [depth.wide(network.spec.name)]),
        f"params: learnable; {total['buffers']:,} running statistics of batch norm are apart",
    ]
    envelope = network.envelope("summary", total)
    if convention is not None:
        from resnet_cli.commands.convention import recounted

        counted = recounted(network, convention)
        envelope["convention"] = counted.envelope
        table = counted.named(analyse(counted.rows, level))._replace(title=network.title())
        return Answer(envelope, [table], [*notes, *counted.notes])
    notes += network.convention(total["macs"])
    table = analyse(network.rows, level)._replace(title=network.title())
    return Answer(envelope, [table, *published.tables(envelope["published"])], notes)
