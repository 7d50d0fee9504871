"""diagram(): networks or blocks drawn as in the papers' figures."""

from __future__ import annotations

from typing import NamedTuple

from resnet_cli.analyses import diagram as analysis
from resnet_cli.analyses.compare import blocks as compare
from resnet_cli.answers.view import Model
from resnet_cli.designs import limits
from resnet_cli.drawings import Drawing
from resnet_cli.errors import UserError
from resnet_cli.models import load
from resnet_cli.render.themes import THEMES

MOST = 16
CHANNELS, SIZE = {"basic": 64, "bottleneck": 256}, 56
"""Of single blocks, as in Figure 5 of He et al. 2015."""


class Picture(NamedTuple):
    """A drawing that shows as SVG in a notebook; ``svg`` is its text, which can be written to a file."""

    drawing: Drawing
    theme: str

    @property
    def svg(self) -> str:
        """The document."""
        from resnet_cli.render.drawings.svg import svg

        return svg(self.drawing, self.theme)

    def _repr_svg_(self) -> str:
        return self.svg


def diagram(
    *models: Model,
    level: str | None = None,
    fold: bool | None = None,
    direction: str = "down",
    theme: str = "light",
) -> Picture:
    """Networks as columns of boxes (He et al. 2015, Fig. 3), or single blocks (Fig. 5).

    ``level`` is stage, block, layer, module or a number, modules so deep; None is block, and module where a network has
    no spec. ``fold`` draws equal blocks once, None does so for large networks and modules; ``direction`` is down or
    right; ``theme`` light, dark or paper. Raises `UserError` for other values.
    """
    limits.one_of("direction", direction, analysis.DIRECTIONS)
    limits.one_of("theme", theme, tuple(THEMES))
    if not models:
        raise UserError("no network to draw", "name one or more, such as resnet50")
    if len(models) > MOST:
        raise UserError(f"{len(models)} networks given", f"give {MOST} at most")
    blocks = compare.blocks_among([model if isinstance(model, str) else "" for model in models])
    if not blocks:
        networks = [load(model) for model in models]
        return Picture(analysis.diagram(networks, level, fold, direction), theme)
    drawn = [
        compare.block_network(name, CHANNELS[compare.BLOCKS[name]["block"]], SIZE)
        for name in blocks
    ]
    # those of He et al. 2016 layer by layer
    usual = "layer" if any("preact" in compare.BLOCKS[name] for name in blocks) else "block"
    return Picture(analysis.diagram(drawn, level or usual, fold, direction, units=True), theme)
