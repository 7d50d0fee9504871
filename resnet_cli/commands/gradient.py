"""resnet-cli gradient."""

from __future__ import annotations

from typing import Annotated

import typer

from resnet_cli.answers.gradient import LEVELS, gradient
from resnet_cli.commands import options
from resnet_cli.commands.extras import progress
from resnet_cli.commands.options import answers, changeable, complete
from resnet_cli.tables import Answer


@answers
@changeable("networks")
def command(
    networks: Annotated[
        list[str], typer.Argument(metavar="MODEL…", help="Networks.", autocompletion=complete)
    ],
    scale: Annotated[float | None, typer.Option(help="λ of every shortcut.")] = None,
    variants: Annotated[
        bool, typer.Option("--variants", help="The shortcuts of He et al. 2016, Table 1.")
    ] = False,
    shatter: Annotated[
        bool,
        typer.Option(
            "--shatter", help="How related gradients are along a line between two images."
        ),
    ] = False,
    level: Annotated[str, options.level(LEVELS)] = "network",
    seeds: Annotated[int, typer.Option(help="Networks drawn and measured.")] = 5,
    batch: Annotated[int | None, typer.Option(help="Inputs at once (8).")] = None,
) -> Answer:
    """How a gradient gets through: the shortcuts' factor, and norms measured at initialisation."""
    return gradient(
        *networks,
        scale=scale,
        variants=variants,
        shatter=shatter,
        level=level,
        seeds=seeds,
        batch=batch,
        progress=progress,
    )
