"""The colours and fonts of diagrams, charts and pages."""

from __future__ import annotations

from typing import NamedTuple


class Theme(NamedTuple):
    """``rows`` are fill and border of the boxes of each output size, in turn."""

    background: str
    text: str
    faint: str
    wire: str
    rule: str
    frame: str
    rows: tuple[tuple[str, str], ...]
    font: str


SANS = "Helvetica, Arial, sans-serif"
SERIF = "Times, 'Times New Roman', serif"

THEMES = {
    "light": Theme(
        "#ffffff", "#1c2330", "#5b6472", "#3d4655", "#e3e7ed", "#f6f7f9",
        (("#d8f1f2", "#218a92"), ("#efe3f8", "#8e5bb5"), ("#dfeafb", "#3f74c4"), ("#d9f2e6", "#2a8c62"),
         ("#fdf0cf", "#b5860f"), ("#fde3d9", "#c8572a"), ("#fbdde6", "#b83c66")),
        SANS,
    ),
    "dark": Theme(
        "#14181f", "#e8ecf2", "#9aa5b5", "#aab4c3", "#2a313c", "#1a2029",
        (("#123c40", "#4dbac3"), ("#3a2a4a", "#b48ad6"), ("#1f3352", "#76a5ec"), ("#173d2f", "#5cc496"),
         ("#43370f", "#d9ae3f"), ("#4a2818", "#ea8a60"), ("#48202f", "#e67a9c")),
        SANS,
    ),
    "paper": Theme(
        "#ffffff", "#000000", "#333333", "#000000", "#cccccc", "#f5f5f5",
        (("#d3ecec", "#000000"), ("#e4d8ee", "#000000"), ("#d5e3f5", "#000000"), ("#d4ecd9", "#000000"),
         ("#f7ecc4", "#000000"), ("#f7d9c4", "#000000"), ("#f0cfd6", "#000000")),
        SERIF,
    ),
}  # fmt: skip
