"""A drawing as PNG: its SVG, painted by resvg in a font that comes with matplotlib.

So the picture is the same on every machine, also where no font is installed.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from resnet_cli.drawings import Drawing
from resnet_cli.errors import UserError
from resnet_cli.render.drawings.svg import svg

MOST = 60_000_000
"""Pixels, 240 MB while it is painted."""
FONTS = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "STIXGeneral.ttf", "STIXGeneralBol.ttf")


def png(drawing: Drawing, theme: str) -> bytes:
    """The file's bytes, twice the SVG's size where that is no more than `MOST` pixels.

    Raises `UserError` (exit 1) where even its own size is more.
    """
    import resvg_py

    text = svg(drawing, theme)
    width, height = (
        float(text.split(f'{side}="', 1)[1].split('"', 1)[0]) for side in ("width", "height")
    )
    zoom = next((zoom for zoom in (2, 1) if zoom * width * zoom * height <= MOST), None)
    if zoom is None:
        raise UserError(
            f"a PNG of {width:,.0f}×{height:,.0f} pixels is too large",
            "add --fold or --level stage, or write an .svg",
            1,
        )
    module = find_spec("matplotlib")
    folder = Path(module.origin or "").parent / "mpl-data" / "fonts" / "ttf" if module else Path()
    return resvg_py.svg_to_bytes(
        svg_string=text, zoom=zoom, font_files=[str(folder / font) for font in FONTS],
        sans_serif_family="DejaVu Sans", serif_family="STIXGeneral", skip_system_fonts=True,
    )  # fmt: skip
