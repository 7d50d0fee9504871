"""resnet-cli identify."""

from __future__ import annotations

from typing import Annotated

import typer

from resnet_cli.answers.identify import identify
from resnet_cli.commands.options import answers, complete
from resnet_cli.tables import Answer


@answers
def command(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE", help="Weights or operations: .safetensors, .pth, .bin, .pt2, .onnx, ..."
        ),
    ],
    against: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="List the tensors that differ, from a network's or another file's.",
            autocompletion=complete,
        ),
    ] = None,
    keys: Annotated[
        str | None, typer.Option(metavar="PATTERN", help="List the tensors that match: 'layer1.*'.")
    ] = None,
    as_: Annotated[
        str | None,
        typer.Option(
            "--as",
            metavar="MODEL",
            help="Whether it fits: any name that MODEL takes.",
            autocompletion=complete,
        ),
    ] = None,
) -> Answer:
    """Which network a file holds, of weights or operations, without torch and without running anything in it."""
    return identify(file, against, keys, as_)
