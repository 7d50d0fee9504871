"""table(): networks side by side as in Table 1 of He et al. 2015."""

from __future__ import annotations

from resnet_cli.analyses import table1 as analysis
from resnet_cli.analyses.cost import counts
from resnet_cli.analyses.published import explained, of_network
from resnet_cli.answers.view import Model, View, beside, whose
from resnet_cli.designs.limits import within
from resnet_cli.errors import UserError, typed
from resnet_cli.models import load
from resnet_cli.networks import distinct
from resnet_cli.published import figures

TABLE_1 = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152")


def table(*models: Model) -> View:
    """Table 1 of He et al. 2015, or the same of other networks: blocks, output sizes and FLOPs."""
    within("number of networks", len(models or TABLE_1), 20)
    networks = [load(model) for model in models or TABLE_1]
    for network in networks:
        if network.spec is None:
            raise UserError(
                f"the papers' table is of networks with a spec, and {network.name} has none",
                f"see its modules: {typed('summary', network.model)}",
            )
    variants = [f for f in figures() if f.counts == "macs" and f.overrides]
    notes = [
        f"{network.name}: {line['printed']} is printed in {line['source']}, "
        f"which has {line['ours']:,} MACs and agrees {line['agrees']}"
        for network in networks
        for line in (of_network(network.spec, variants)[:1] if network.spec else ())
    ]
    notes += filter(None, map(whose, distinct(networks), networks))
    sizes = dict.fromkeys(network.size for network in networks)
    kinds = counts.multiplied(row for network in networks for row in network.rows)
    notes.append(f"MACs: {kinds} layers, the papers' FLOPs; one input of {', '.join(sizes)}")
    names = distinct(networks)
    rows = [
        {
            "stage": stage,
            "output": size,
            "networks": [
                {"name": name, "architecture": cell}
                for name, cell in zip(names, cells, strict=True)
                if cell
            ],
        }
        for stage, size, *cells in analysis.stages(networks)
    ]
    shown = [analysis.table1(networks, figures())]
    by_paper = analysis.by_paper(networks, figures())
    notes += explained(line["agrees"] for line in by_paper)
    return beside(networks, "table", shown, notes, rows=rows, networks=by_paper)
