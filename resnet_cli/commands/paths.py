"""resnet-cli paths."""

from __future__ import annotations

from resnet_cli.answers.paths import paths
from resnet_cli.commands.options import about_a_network
from resnet_cli.networks import Network
from resnet_cli.tables import Answer


@about_a_network
def command(network: Network) -> Answer:
    """The 2ⁿ paths through n blocks: how long they are, and what they see of the input."""
    return paths(network)
