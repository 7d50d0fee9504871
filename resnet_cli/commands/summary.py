"""resnet-cli summary."""

from __future__ import annotations

from typing import Annotated

from resnet_cli.analyses.levels import LEVELS
from resnet_cli.answers.summary import summary
from resnet_cli.commands import options
from resnet_cli.commands.options import about_a_network
from resnet_cli.networks import Network
from resnet_cli.tables import Answer


@about_a_network
def command(
    network: Network,
    level: Annotated[str | None, options.level(LEVELS)] = None,
    convention: Annotated[str | None, options.convention()] = None,
) -> Answer:
    """The architecture by stage, block, layer or module, with parameters and MACs."""
    return summary(network, level, convention)
