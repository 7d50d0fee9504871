"""receptive_field(): what one neuron sees of the input."""

from __future__ import annotations

from resnet_cli.analyses import levels
from resnet_cli.analyses.field import receptive_field as analysis
from resnet_cli.answers.view import Model, View, about
from resnet_cli.designs.resnet import ResNet
from resnet_cli.designs.zoo import changed
from resnet_cli.errors import printable
from resnet_cli.models import load
from resnet_cli.networks import Network, of_spec
from resnet_cli.trace import INPUT

UNITS = {1: "places", 2: "pixels", 3: "frames and pixels"}
NOTES = (
    "receptive field: {sides} in {unit} of what can change one neuron of the row's last layer; "
    "through an addition the larger branch's, both having the same stride",
    "stride: {unit} from one neuron's window to the next one's; padding: how far the first neuron's "
    "window reaches out of the input; centre: the middle of that window, the first pixel being 0",
    "middle sees: what the neuron in the middle has inside of the input; coverage: its share",
    "the effective receptive field is smaller: the middle of a window counts most (Luo et al. 2016)",
)


def receptive_field(model: Model, level: str | int | None = None) -> View:
    """Stride, receptive field, padding and centre by stage, block, layer or module, in pixels of the input."""
    network = load(model)
    by = levels.of(network, level, analysis.LEVELS)
    table = analysis.receptive_field(network.rows, by)
    words = in_words(network)
    notes = [note.format(**words) for note in NOTES]
    notes = [*by.notes, *followed(network), *whole_image(network), *_other_style(network), *notes]
    return about(network, "receptive-field", [table], notes)


def in_words(network: Network) -> dict[str, str]:
    """What the sides of its input are called, and what they are measured in."""
    _, _, sides = analysis.image(network.rows)
    unit = UNITS.get(len(sides), "places")
    return {"sides": "×".join(analysis.sides_of(len(sides))), "unit": unit}


def followed(network: Network) -> list[str]:
    """Which of several inputs is followed, how far, and what is taken for granted on the way."""
    which, _, _ = analysis.image(network.rows)
    notes = []
    if len(network.inputs) > 1:
        own = network.inputs[INPUT - which]
        others = [printable(each.name, 40) for each in network.inputs if each is not own]
        notes.append(f"of the input {printable(own.name, 40)}, not of {', '.join(others)}")
    states = analysis.seen(network.rows)
    why = next((state for state in states if isinstance(state, str)), None)
    if why:
        notes.append(f"not known from here on, and left empty: {why}")
    alone = [
        state
        for row, state in zip(network.rows, states, strict=True)
        if row.part != "head" and row.macs
    ]
    if any(state and not isinstance(state, str) and state.sees_alike for state in alone):
        notes.append(
            "without a stride: all neurons see alike, all of the input, as behind attention over all of it"
        )
    if any(row.layer.wraps for row in network.rows):
        notes.append(
            "what is rolled over the border is taken to be masked there, as in shifted windows (Liu et al. 2021)"
        )
    return notes


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
