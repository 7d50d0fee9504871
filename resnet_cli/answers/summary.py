"""summary(): the architecture by stage, block or layer, with parameters and MACs."""

from __future__ import annotations

from resnet_cli.analyses import levels, published
from resnet_cli.analyses.cost import counts
from resnet_cli.analyses.explain import depth
from resnet_cli.analyses.notation import several
from resnet_cli.analyses.summary import summary as rows_of
from resnet_cli.answers.view import Model, View, about, cost_notes
from resnet_cli.errors import typed
from resnet_cli.models import load
from resnet_cli.networks import Network


def summary(model: Model, level: str | int | None = None, convention: str | None = None) -> View:
    """The architecture by stage, block, layer, module or operator, with parameters and MACs.

    Without a ``level`` it is the stage, and the module where no spec names stages as a paper does. A number as ``level`` is a depth of module nesting, 1 the outermost. ``convention`` counts by another tool's rule. Raises `UserError`
    for a level or a convention that there is not.
    """
    network = load(model)
    by = levels.of(network, level)
    total = counts.totals(network.rows)
    notes = [
        *by.notes,
        *filter(None, [depth.formula(network.rows), depth.wide(network.name)]),
        _learnable(network, total["buffers"]),
    ]
    if convention is not None:
        from resnet_cli.answers.convention import recounted

        counted = recounted(network, convention)
        table = counted.named(rows_of(network.rows, by, counted.counts, network.classes))
        return about(
            network,
            "summary",
            [table],
            [*notes, *counted.notes],
            total,
            convention=counted.envelope,
        )
    answer = about(
        network,
        "summary",
        [rows_of(network.rows, by, classes=network.classes)],
        [*notes, *cost_notes(network)],
        total,
    )
    figures = answer.envelope["published"]
    agreements = published.explained(line["agrees"] for line in figures)
    if left_out := published.others(figures):
        agreements.append(
            f"{several(left_out, 'more figure')} of it: {typed('figures', network.model)}"
        )
    return answer._replace(
        tables=[*answer.tables, *published.tables(figures)], notes=[*answer.notes, *agreements]
    )


def _learnable(network: Network, buffers: int) -> str:
    if not buffers:
        return "params: learnable"
    apart = "running statistics of batch norm" if network.spec else "numbers in buffers"
    return f"params: learnable; {buffers:,} {apart} are apart"
