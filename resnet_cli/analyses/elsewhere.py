"""What torchvision, timm or Keras build where a paper's network of that name is meant."""

from __future__ import annotations

from collections.abc import Sequence

from resnet_cli.analyses.cost.counts import macs
from resnet_cli.designs import zoo
from resnet_cli.designs.fields import differences
from resnet_cli.designs.names import spec_of
from resnet_cli.designs.resnet import ResNet
from resnet_cli.errors import folded
from resnet_cli.networks import Network
from resnet_cli.published.names import LibraryName, names
from resnet_cli.trace import trace

OF_THE_DATA = ("name", "family", "num_classes", "in_channels", "input_size")
"""The fields that do not tell one architecture from another."""


def elsewhere(networks: Sequence[Network]) -> list[str]:
    """A note on the stride in v1 and v1.5 with the MACs between them, and one for each namesake.

    Of several networks, those namesakes alone that cost something else.
    """
    costs = []
    for network in networks:
        listed = _as_v15(network)
        if listed is not None and isinstance(network.spec, ResNet):
            spec = zoo.changed(network.spec, style="v1.5")
            theirs = macs(trace(spec.net(), spec.input_shape))
            more = _more(theirs - macs(network.rows))
            costs.append(f"{network.name} has {theirs:,} MACs there, {more} ({listed.name})")
    places = "stride in the 3×3 of a bottleneck (v1.5), here it is in the first 1×1 (v1)"
    style = [f"torchvision and timm {places}: {'; '.join(costs)}"] if costs else []
    return style + [
        _other(row, network)
        for network in networks
        for row in _namesakes(network)
        if len(networks) == 1 or row.macs != macs(network.rows)
    ]


def _as_v15(network: Network) -> zoo.Spec | None:
    """The listed v1.5 network of which this one, or what was changed to it, is the v1."""
    if not isinstance(network.spec, ResNet) or network.spec.style != "v1":
        return None
    if network.spec.block != "bottleneck":
        return None
    for spec in (network.spec, network.base or network.spec):
        for listed in zoo.NETWORKS:
            if _differ(spec, listed) == {"style"}:
                return listed
    return None


def _differ(spec: zoo.Spec, other: zoo.Spec) -> set[str]:
    """The fields in which two architectures differ."""
    if type(spec) is not type(other):
        return {"kind"}
    return {
        key
        for key in spec.__dataclass_fields__
        if key not in OF_THE_DATA and getattr(spec, key) != getattr(other, key)
    }


def _namesakes(network: Network) -> list[LibraryName]:
    """Libraries' other networks of a listed one's name, but for its v1.5."""
    spec = network.spec
    if spec is None or not zoo.is_listed(spec):
        return []
    rows = [row for row in names() if folded(row.name) == folded(spec.name)]
    v15 = _as_v15(network)
    return [row for row in rows if row.differs or spec_of(row) not in (spec, v15)]


def _other(row: LibraryName, network: Network) -> str:
    assert network.spec is not None
    why = row.differs or ", ".join(differences(network.spec, spec_of(row)))
    more = _more(row.macs - macs(network.rows))
    typed = "" if row.differs else f" ({row.model})"
    return (
        f"{row.name} of {row.library} is another network, {why}: {row.macs:,} MACs, {more}{typed}"
    )


def _more(macs: int) -> str:
    return f"{abs(macs):,} {'more' if macs > 0 else 'fewer'}" if macs else "as many"
