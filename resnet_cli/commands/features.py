"""resnet-cli features."""

from __future__ import annotations

from resnet_cli.analyses.cost import counts
from resnet_cli.analyses.field import features as analysis
from resnet_cli.commands.options import Network, about_a_network
from resnet_cli.designs.resnet import ResNet
from resnet_cli.designs.zoo import changed, is_listed
from resnet_cli.tables import Answer


@about_a_network
def command(network: Network) -> Answer:
    """The feature maps C1, C2, … that detection and segmentation heads take, and how to get them."""
    spec, maps = network.spec, analysis.features(network.rows)
    # input size and classes change neither a path nor a channel
    kept = changed(spec, input_size=network.base.input_size, num_classes=network.base.num_classes)
    elsewhere = analysis.TIMM.get(spec.name) if is_listed(kept) else None
    notes = [analysis.torchvision(maps, elsewhere)]
    if elsewhere in analysis.TORCHVISION:
        notes[0] += "  # torchvision"
    else:
        notes[0] += (
            f"  # torchvision; model: the network that resnet-cli build {spec.name} -o net.py writes"
        )
    if elsewhere:
        notes.append(f"{analysis.timm(maps, elsewhere)}  # timm")
    notes.append(
        f"channels of {maps[0].name} to {maps[-1].name}: {[m.shape[0] for m in maps]}; size: height×width "
        f"of the path's output for one input of {'×'.join(map(str, spec.input_shape))}"
    )
    notes.append("stride and receptive field: pixels of the input")
    if isinstance(spec, ResNet) and spec.preact:
        notes.append(f"C2 to {maps[-1].name} are sums: the norm and ReLU come in the layer after")
    envelope = network.envelope("features", counts.totals(network.rows))
    return Answer(envelope, [analysis.table(maps)._replace(title=network.title())], notes)
