"""TOML of a stranger: what would take much memory or depth is refused before it is parsed."""

from __future__ import annotations

import re
import tomllib

from resnet_cli.errors import UserError

MOST_DOTS = 8
MOST_DEPTH = 8
OPAQUE = re.compile(
    r'''"""(?:[^"\\]|\\.|"(?!""))*+"{0,5}|'{3}(?:[^']|'(?!''))*+'{0,5}'''
    r"""|"(?:[^"\\\n]|\\.)*+"?|'[^'\n]*+'?|#[^\n]*+""",
    re.DOTALL,
)
"""Texts and comments, also unfinished ones: what stands in them is no structure."""
PIECE = re.compile(r"[\[{\]}]|[^\[{\]}=,\n]+")
DEPTH = {"[": 1, "{": 1, "]": -1, "}": -1}


def parsed(content: bytes, hint: str = "") -> dict[str, object]:
    """Keys and values; of their size only ``content`` is a bound, so keep that small.

    Raises `UserError`, a predicate of the file, for what is no TOML or nested too deeply.
    """
    try:
        text = content.decode("utf-8-sig")  # as some editors begin a file
        check_flat(text, hint)
        return tomllib.loads(text)
    except UnicodeDecodeError:
        reason = "it is not text"
    except tomllib.TOMLDecodeError as problem:
        reason = str(problem)[:200]
    except ValueError:  # Python's own, which names a function of its library
        reason = "a number in it is too long"
    raise UserError(f"is not a TOML file: {reason}", hint)


def check_flat(text: str, hint: str = "") -> None:
    """Raises `UserError` for a key of many parts, which takes their square in memory, and for nesting."""
    depth = 0
    for piece in PIECE.finditer(OPAQUE.sub("", text)):
        depth += DEPTH.get(piece[0], 0)
        if depth > MOST_DEPTH or piece[0].count(".") > MOST_DOTS:
            raise UserError("is nested too deeply", hint)
