"""resnet-cli list."""

from __future__ import annotations

from typing import Annotated

import typer

from resnet_cli.analyses.listing import listing
from resnet_cli.commands.options import answers
from resnet_cli.designs import zoo
from resnet_cli.errors import UserError, folded
from resnet_cli.published import figures
from resnet_cli.tables import Answer

SORTS = ("name", "family", "layers", "params", "macs")
UNITS = {"k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}


@answers
def command(
    pattern: Annotated[str | None, typer.Argument(help="Part of a name or family.")] = None,
    sort: Annotated[str | None, typer.Option(help=", ".join(SORTS) + ".")] = None,
    under: Annotated[str | None, typer.Option(help="At most so many MACs: 5G.")] = None,
) -> Answer:
    """Every network with its family, block, stages, layers, parameters and MACs."""
    wanted = folded(pattern or "")
    specs = [s for s in zoo.NETWORKS if wanted in folded(s.name) or wanted in folded(s.family)]
    if not specs:
        raise UserError(f"no network matches {pattern!r}", "all names: resnet-cli list")
    if sort is not None and sort not in SORTS:
        raise UserError(f"no order named {sort[:40]!r}", f"allowed: {', '.join(SORTS)}")
    table = listing(specs, sort, _macs(under), figures())
    envelope = {"command": "list", "rows": []}
    return Answer(envelope, [table], ["MACs and layers: as the papers count, for one input"])


def _macs(text: str | None) -> int | None:
    if text is None:
        return None
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
