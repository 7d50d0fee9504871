"""resnet-cli conv."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from resnet_cli.answers.conv import conv
from resnet_cli.commands.options import answers
from resnet_cli.errors import UserError
from resnet_cli.tables import Answer


@answers
def command(
    in_channels: Annotated[int, typer.Option("--in", help="Channels of the input.")],
    out_channels: Annotated[int, typer.Option("--out", help="Channels of the output.")],
    kernel: Annotated[str, typer.Option(help="3 or 3x3.")],
    size: Annotated[str, typer.Option(help="Of the input: 28, or height×width: 28x32.")],
    stride: Annotated[int, typer.Option(help="Pixels from one place to the next.")] = 1,
    padding: Annotated[
        int | None, typer.Option(help="Zeros on each side; ⌊(kernel − 1) / 2⌋ if not given.")
    ] = None,
    groups: Annotated[int, typer.Option(help="Groups that the channels are split into.")] = 1,
    bias: Annotated[bool, typer.Option("--bias/--no-bias", help="A bias an output.")] = False,
) -> Answer:
    """One convolution of your own: shapes, parameters, MACs, receptive field, against a 3×3."""
    k, across = _sides("--kernel", kernel)
    if k != across:
        raise UserError(f"a kernel of {k}×{across} is not square", f"give one number: --kernel {k}")
    image = _sides("--size", size)
    return conv(in_channels, out_channels, k, image, stride, padding, groups, bias)


def _sides(option: str, text: str) -> tuple[int, int]:
    """28 or 28x32 as two numbers. Raises `UserError` for anything else."""
    parts = re.split(r"\s*[x×]\s*", text.strip())
    if len(parts) > 2 or not all(re.fullmatch(r"-?[0-9]{1,12}", part) for part in parts):
        raise UserError(f"{option} {text[:40]!r} is not a size", f"type it as {option} 3 or 3x3")
    return int(parts[0]), int(parts[-1])
