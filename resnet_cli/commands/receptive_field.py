"""resnet-cli receptive-field."""

from __future__ import annotations

from typing import Annotated

from resnet_cli.analyses.field.receptive_field import LEVELS
from resnet_cli.answers.receptive_field import receptive_field
from resnet_cli.commands import options
from resnet_cli.commands.options import about_a_network
from resnet_cli.networks import Network
from resnet_cli.tables import Answer


@about_a_network
def command(
    network: Network,
    level: Annotated[str | None, options.level(LEVELS)] = None,
) -> Answer:
    """What one neuron sees of the input: stride, receptive field, padding and centre by stage."""
    return receptive_field(network, level)
