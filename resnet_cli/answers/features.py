"""features(): the feature maps that detection and segmentation heads take."""

from __future__ import annotations

from resnet_cli.analyses.field import features as analysis
from resnet_cli.answers.receptive_field import followed, in_words
from resnet_cli.answers.view import Model, View, about
from resnet_cli.designs.zoo import changed, is_listed
from resnet_cli.errors import typed
from resnet_cli.models import load
from resnet_cli.networks import Network


def features(model: Model) -> View:
    """The feature maps C1, C2, … with their paths, strides and receptive fields, and how to get them."""
    network = load(model)
    maps = analysis.features(network.rows)
    words = in_words(network)
    notes = [
        *"\n".join(code(network)).split("\n"),
        f"channels of {maps[0].name} to {maps[-1].name}: {[m.shape[0] for m in maps]}; size: {words['sides']} "
        f"of the path's output for {network.asked}",
        f"stride and receptive field: {words['unit']} of the input",
        *followed(network),
    ]
    if getattr(network.spec, "preact", False):
        notes.append(f"C2 to {maps[-1].name} are sums: the norm and ReLU come in the layer after")
    return about(network, "features", [analysis.table(maps)], notes)


def code(network: Network) -> list[str]:
    """Python that gets the maps out of torchvision's or the built network, then out of timm's."""
    spec, maps = network.spec, analysis.features(network.rows)
    elsewhere = None
    if spec is not None and network.base is not None:  # size and classes change no path or channel
        kept = {key: getattr(network.base, key) for key in ("input_size", "num_classes")}
        elsewhere = analysis.TIMM.get(spec.name) if is_listed(changed(spec, **kept)) else None
    model = "" if elsewhere in analysis.TORCHVISION else f"; {_model(network)}"
    snippets = [[f"# torchvision{model}", *analysis.torchvision(maps, elsewhere)]]
    if elsewhere:
        snippets.append(["# timm", *analysis.timm(maps, elsewhere)])
    return ["\n".join(lines) for lines in snippets]


def _model(network: Network) -> str:
    """Where the ``model`` comes from that the lines of Python take."""
    if network.spec is None:
        return "model: the module whose layers are called so"
    return f"model: what {typed('build', network.model, '-o', 'net.py')} writes"
