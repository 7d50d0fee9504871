"""receptive_field(): what one neuron sees of the input."""

from __future__ import annotations

from resnet_cli.analyses import levels
from resnet_cli.analyses.field import receptive_field as analysis
from resnet_cli.answers.view import Model, View, about
from resnet_cli.designs.resnet import ResNet
from resnet_cli.designs.zoo import changed
from resnet_cli.networks import Network, load, of_spec

NOTES = (
    "receptive field: height×width in pixels of what can change one neuron of the row's last layer; "
    "through an addition the larger branch's, both having the same stride",
    "stride: pixels from one neuron's window to the next one's; padding: how far the first neuron's "
    "window reaches out of the input; centre: the middle of that window, the first pixel being 0",
    "middle sees: what the neuron in the middle has inside of the input; coverage: its share",
    "the effective receptive field is smaller: the middle of a window counts most (Luo et al. 2016)",
)


def receptive_field(model: Model, level: str | int | None = None) -> View:
    """Stride, receptive field, padding and centre by stage, block, layer or module, in pixels of the input."""
    network = load(model)
    by = levels.of(network, level, analysis.LEVELS)
    table = analysis.receptive_field(network.rows, by)
    notes = [*by.notes, *whole_image(network), *_other_style(network), *NOTES]
    return about(network, "receptive-field", [table], notes)


def whole_image(network: Network) -> list[str]:
    """What makes every neuron depend on the whole image, and is left out of the field."""
    why = []
    if any(row.role == "gate" for row in network.rows):
        why.append("a gate pools the whole image (squeeze-excitation, ECA)")
    kinds = dict.fromkeys(row.layer.operator for row in network.rows if row.layer.sees_all)
    why += [f"a {kind} takes a mean over the whole image" for kind in kinds]
    if not why:
        return []
    return [
        f"given along the main path: {' and '.join(why)}, so from the first one on every neuron also "
        "depends on all of the input, by the scale of its channel"
    ]


def _other_style(network: Network) -> list[str]:
    """What the stride at its other place in a bottleneck would make of the last stage."""
    spec = network.spec
    if not isinstance(spec, ResNet) or spec.block != "bottleneck":
        return []
    style = "v1.5" if spec.style == "v1" else "v1"
    stage, field = analysis.features(network.rows)
    _, others = analysis.features(of_spec(changed(spec, style=style)).rows)
    places = {"v1": "first 1×1 (v1)", "v1.5": "3×3 (v1.5)"}
    return [
        f"{stage} sees {field.size} pixels across with the stride in the {places[spec.style]}, "
        f"{others.size} with it in the {places[style]}"
    ]
