"""resnet-cli receptive-field."""

from __future__ import annotations

from typing import Annotated

import typer

from resnet_cli.analyses.cost import counts
from resnet_cli.analyses.field import receptive_field as analysis
from resnet_cli.commands.options import Network, about_a_network
from resnet_cli.designs.limits import one_of
from resnet_cli.designs.resnet import ResNet
from resnet_cli.designs.zoo import changed
from resnet_cli.tables import Answer
from resnet_cli.trace import trace

NOTES = (
    "receptive field: height×width in pixels of what can change one neuron of the row's last layer; "
    "through an addition the larger branch's, both having the same stride",
    "stride: pixels from one neuron's window to the next one's; padding: how far the first neuron's "
    "window reaches out of the input; centre: the middle of that window, the first pixel being 0",
    "middle sees: what the neuron in the middle has inside of the input; coverage: its share",
    "the effective receptive field is smaller: the middle of a window counts most (Luo et al. 2016)",
)


@about_a_network
def command(
    network: Network,
    level: Annotated[str, typer.Option(help="A row for each stage, block or layer.")] = "stage",
) -> Answer:
    """What one neuron sees of the input: stride, receptive field, padding and centre by stage."""
    one_of("level", level, tuple(analysis.LEVELS))
    table = analysis.receptive_field(network.rows, level)._replace(title=network.title())
    notes = [*_gates(network), *_other_style(network), *NOTES]
    envelope = network.envelope("receptive-field", counts.totals(network.rows))
    return Answer(envelope, [table], notes)


def _gates(network: Network) -> list[str]:
    if not any(row.role == "gate" for row in network.rows):
        return []
    return [
        "given along the main path: a squeeze-excitation gate pools the whole image, so from the "
        "first gate on every neuron also depends on all of the input, by the scale of its channel"
    ]


def _other_style(network: Network) -> list[str]:
    """What the stride at its other place in a bottleneck would make of the last stage."""
    spec = network.spec
    if not isinstance(spec, ResNet) or spec.block != "bottleneck":
        return []
    style = "v1.5" if spec.style == "v1" else "v1"
    other = changed(spec, style=style)
    stage, field = analysis.features(network.rows)
    _, others = analysis.features(trace(other.net(), other.input_shape))
    places = {"v1": "first 1×1 (v1)", "v1.5": "3×3 (v1.5)"}
    return [
        f"{stage} sees {field.size} pixels across with the stride in the {places[spec.style]}, "
        f"{others.size} with it in the {places[style]}"
    ]
