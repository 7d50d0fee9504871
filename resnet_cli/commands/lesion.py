"""resnet-cli lesion."""

from __future__ import annotations

from typing import Annotated

import typer

from resnet_cli.answers.lesion import LEVELS, lesion
from resnet_cli.commands import options
from resnet_cli.commands.extras import progress
from resnet_cli.commands.options import answers
from resnet_cli.tables import Answer


@answers
def command(
    folder: Annotated[str, typer.Argument(metavar="FOLDER", help="What train -o FOLDER wrote.")],
    networks: Annotated[
        list[str] | None,
        typer.Argument(metavar="NETWORK…", help="Those of it to look at; else all."),
    ] = None,
    shuffle: Annotated[
        bool, typer.Option("--shuffle", help="Swap neighbouring blocks instead.")
    ] = False,
    level: Annotated[str, options.level(LEVELS)] = "network",
    run_code: Annotated[
        bool, typer.Option("--run-code", help="Run a network of FOLDER that is Python.")
    ] = False,
) -> Answer:
    """What trained networks lose with a block: test errors with each deleted in turn."""
    return lesion(
        folder,
        *networks or (),
        shuffle=shuffle,
        level=level,
        run_code=run_code,
        progress=progress,
    )
