"""How wide a text gets at most, whatever font a reader's machine takes for it."""

from __future__ import annotations

from unicodedata import east_asian_width

NARROW = frozenset(" !'(),./:;I[\\]`fijlrt{|}")
WIDE = frozenset("%@MWmw+<=>~×−·…")


def width(text: str, size: float, bold: bool = False) -> float:
    """An upper bound in the unit of ``size``; made to hold for DejaVu Sans, the widest in common use."""
    ems = sum(map(_ems, text))
    return ems * size * (1.12 if bold else 1)


def _ems(sign: str) -> float:
    if sign in NARROW:
        return 0.42
    if sign in WIDE:
        return 1.0
    if sign.isascii():
        return 0.79 if sign.isupper() else 0.66
    return 1.05 if east_asian_width(sign) in "WF" else 1.2
