"""resnet-cli list."""

from __future__ import annotations

from typing import Annotated

import typer

from resnet_cli.answers import listing
from resnet_cli.commands.options import answers
from resnet_cli.errors import UserError
from resnet_cli.tables import Answer

UNITS = {"k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}


@answers
def command(
    pattern: Annotated[str | None, typer.Argument(help="Part of a name or family.")] = None,
    sort: Annotated[str | None, typer.Option(help=", ".join(listing.SORTS) + ".")] = None,
    under: Annotated[str | None, typer.Option(help="At most so many MACs: 5G.")] = None,
) -> Answer:
    """Every network with its family, block, stages, layers, parameters and MACs."""
    return listing.list(pattern or "", sort, None if under is None else _macs(under))


def _macs(text: str) -> int:
    number, unit = text.strip().lower(), 1
    if number[-1:] in UNITS:
        number, unit = number[:-1], UNITS[number[-1:]]
    try:
        value = float(number)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1e12:
        raise UserError(f"--under {text[:40]!r} is not a number of MACs", "type it as --under 5G")
    return int(value * unit)
