"""list(): the networks that have a name."""

from __future__ import annotations

from resnet_cli.analyses import listing as analysis
from resnet_cli.answers.view import View
from resnet_cli.designs import zoo
from resnet_cli.designs.limits import one_of
from resnet_cli.errors import UserError, folded
from resnet_cli.published import figures

SORTS = ("name", "family", "layers", "params", "macs")


def list(pattern: str = "", sort: str | None = None, under: float | None = None) -> View:
    """Every network with its family, block, stages, layers, parameters and MACs.

    ``pattern`` is a part of a name or family, ``sort`` one of the columns, ``under`` the most MACs.
    Raises `UserError` where no network matches.
    """
    wanted = folded(pattern)
    specs = [s for s in zoo.NETWORKS if wanted in folded(s.name) or wanted in folded(s.family)]
    if not specs:
        raise UserError(f"no network matches {pattern!r}", "all names: resnet-cli list")
    if sort is not None:
        one_of("order", sort, SORTS)
    table = analysis.listing(specs, sort, under, figures())
    notes = ["MACs and layers: as the papers count, for one input"]
    return View({"command": "list", "rows": []}, [table], notes)
