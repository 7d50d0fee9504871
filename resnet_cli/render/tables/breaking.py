"""Text in lines of a given width: broken between words, and earlier at the joints of what is written."""

from __future__ import annotations

import re
import textwrap
from bisect import bisect_left
from collections.abc import Iterable, Sequence

JOINTS = tuple(map(re.compile, (r"(?<=;) ", r" (?=[+=|] )|(?<=,) (?!\d)|(?<=\D,) ", " (?!%)")))
"""Where a text breaks, the strongest first: after ";", which ends a part; before a sum's next term and after
a comma, but not within `3×3, 64`; between words."""


MOST = 1000
"""Signs of a text that settle how wide it is made."""
FILLER = "\0"


def filled(text: str) -> str:
    """The text with a filler after each sign that takes two columns: its length is how wide it is."""
    if text.isascii() or max(text) < "\u1100":
        return text
    from unicodedata import east_asian_width

    return "".join(c + FILLER if east_asian_width(c) in "WF" else c for c in text)


def broken(text: str, width: int, hang: int = 0) -> list[str]:
    """Lines of at most ``width``, all but the first indented by ``hang``.

    A longer word stays whole: no number is ever broken.
    """
    if len(text) <= width:
        return [text]
    first, *others = _broken(text, width - hang, JOINTS)
    return [first, *(" " * hang + line for line in others)]


def _broken(text: str, width: int, joints: Sequence[re.Pattern[str]]) -> list[str]:
    if len(text) <= width or not joints:
        return [text]
    lines: list[str] = []
    for piece in joints[0].split(text):
        if lines and joints is not JOINTS and len(lines[-1]) + 1 + len(piece) <= width:
            lines[-1] += f" {piece}"
        else:
            lines += _broken(piece, width, joints[1:])
    return lines


def at_dots(path: str, width: int, hang: int = 0) -> list[str]:
    """A path in lines, broken before what a dot parts from it, all but the first indented by ``hang``.

    No number is broken from its module: layer1.0 stays whole.
    """
    lines: list[str] = []
    for part in re.split(r"(?<=\w\.)(?=[^\W\d])", path):
        if lines and len(lines[-1]) + len(part) <= width:
            lines[-1] += part
        else:
            lines.append(" " * hang * bool(lines) + part)
    return lines


def longest(texts: Iterable[str]) -> int:
    """Of the longest line of all texts; 0 where there is none."""
    return max(map(len, "\n".join(texts).split("\n")))


def narrowest(texts: Iterable[str], lines: int, hang: int = 0) -> int:
    """The least width at which each text takes at most so many lines; more where it is a very long one."""
    longest_first = sorted(set(texts), key=len, reverse=True)
    width = min(longest(longest_first), hang + longest(JOINTS[-1].split(" ".join(longest_first))))
    for text in longest_first:
        start = text[:MOST]
        if len(broken(start, width, hang)) > lines:
            widths = range(width, len(start))
            width += bisect_left(widths, -lines, key=lambda w: -len(broken(start, w, hang)))
    return width


def paragraph(text: str, width: int | None) -> str:
    """A note, its further lines indented; as one line where there is no width."""
    if width is None or len(text) <= width:
        return text
    return textwrap.fill(
        text, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )
