"""compare(): what differs between blocks, networks or weight files."""

from __future__ import annotations

from collections.abc import Sequence

from resnet_cli.analyses.compare import blocks as analysis
from resnet_cli.answers.view import Model, View
from resnet_cli.designs import limits
from resnet_cli.errors import UserError


def compare(
    *models: Model,
    channels: int | None = None,
    size: int | None = None,
    level: str | int | None = None,
    changed: bool = False,
    exit_code: bool = False,
) -> View:
    """Two or more networks, blocks (basic, bottleneck, ...) or two weight files, with ratios to the first.

    Of networks: fields of the spec that differ, totals, errors that papers print, then a row for each
    stage (or ``level`` block, layer, module, operator, or a number: modules so deep); ``changed`` leaves out the rows that are equal. Of two weight
    files also each tensor that differs. With ``exit_code`` a difference sets the answer's ``code`` to 1.
    Of blocks ``channels`` (256) and ``size`` (56, height and width) are the input's. Raises `UserError` for
    blocks beside networks and for options of the other.
    """
    if not 2 <= len(models) <= 64:
        raise UserError(
            f"{len(models)} to compare", "give two or more, 64 at most: resnet50 resnet50:groups=32"
        )
    names = analysis.blocks_among([model if isinstance(model, str) else "" for model in models])
    of_networks = {"--level": level, "--changed": changed, "--exit-code": exit_code}
    of_blocks = {"--channels": channels, "--size": size}
    what, others = ("blocks", of_networks) if names else ("networks", of_blocks)
    for option, value in others.items():
        if value not in (None, False):
            raise UserError(f"{option} is not for {what}", f"leave out {option}")
    if names:
        return _blocks(names, 256 if channels is None else channels, 56 if size is None else size)
    from resnet_cli.answers.difference import difference  # what blocks do without

    return difference(models, level, changed, exit_code)


def _blocks(names: Sequence[str], channels: int, size: int) -> View:
    limits.within("channels", channels, limits.CHANNELS)
    limits.within("size", size, limits.PIXELS)
    each = [channels] * len(names)
    tables = [analysis.blocks(names, each, size, "rows", f"At {channels} channels")]
    shallow = [analysis.BLOCKS[name]["block"] == "basic" for name in names]
    if any(shallow) and not all(shallow) and channels % 4 == 0:
        title = "At similar cost (He et al. 2015, Figure 5)"
        each = [channels // 4 if basic else channels for basic in shallow]
        tables.append(analysis.blocks(names, each, size, "figure5", title))
    rows = tables[0].rows
    notes = [
        f"{names[0]} has {rows[0][2] / row[2]:.2f} times the weights of {row[0]}"
        for row in rows[1:]
        if row[2] < rows[0][2]
    ]
    norms = ", ".join(
        f"{analysis.norms(name, channels, size):,} in {name}" for name in dict.fromkeys(names)
    )
    notes.append(
        f"weights: of convolutions; batch norm's are apart ({norms}); "
        f"MACs for one input of {size}×{size}; ratio: to the first"
    )
    return View({"command": "compare", "rows": []}, tables, notes)
