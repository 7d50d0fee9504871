"""resnet-cli table."""

from __future__ import annotations

from typing import Annotated

import typer

from resnet_cli import models
from resnet_cli.analyses.published import of_network
from resnet_cli.analyses.table1 import table1
from resnet_cli.commands.options import answers, complete
from resnet_cli.designs.limits import within
from resnet_cli.published import figures
from resnet_cli.tables import Answer
from resnet_cli.trace import trace

TABLE_1 = ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"]


@answers
def command(
    networks: Annotated[
        list[str] | None,
        typer.Argument(help="Other networks than the paper's.", autocompletion=complete),
    ] = None,
) -> Answer:
    """Table 1 of He et al. 2015: networks side by side, blocks, output sizes and FLOPs."""
    within("number of networks", len(networks or TABLE_1), 20)
    specs = [models.load(model) for model in networks or TABLE_1]
    traced = [(spec, trace(spec.net(), spec.input_shape)) for spec in specs]
    notes = [
        f"{spec.name}: {line['printed']} is printed in {line['source']}, "
        f"which has {line['ours']:,} MACs and agrees {line['agrees']}"
        for spec in specs
        for line in of_network(spec, (f for f in figures() if f.counts == "macs" and f.overrides))
    ]
    sizes = dict.fromkeys("×".join(map(str, spec.input_shape)) for spec in specs)
    notes.append(
        f"MACs: convolution and linear layers, the papers' FLOPs; one input of {', '.join(sizes)}"
    )
    return Answer({"command": "table", "rows": []}, [table1(traced, figures())], notes)
