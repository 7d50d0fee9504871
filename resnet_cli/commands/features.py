"""resnet-cli features."""

from __future__ import annotations

from resnet_cli.answers.features import features
from resnet_cli.commands.options import about_a_network
from resnet_cli.networks import Network
from resnet_cli.tables import Answer


@about_a_network
def command(network: Network) -> Answer:
    """The feature maps C1, C2, … that detection and segmentation heads take, and how to get them."""
    return features(network)
