"""A network of one's own, read from TOML: the fields of a spec, on top of a `base` or from nothing."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from resnet_cli import files
from resnet_cli.designs import zoo
from resnet_cli.designs.resnet import ResNet
from resnet_cli.errors import UserError, did_you_mean

HINT = "give a TOML file or a name"
MOST_BYTES = 1 << 16
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


def read(path: str) -> zoo.Spec:
    """The network in a TOML file.

    Raises `UserError` (exit 1) for a file that cannot be read, is no TOML, or has unknown keys or
    values of the wrong type.
    """
    try:
        given = _parsed(_content(path))
    except UserError as problem:
        raise UserError(f"{path!r} {problem.what}", problem.hint, 1) from None
    try:
        return _spec(given, Path(path).stem)
    except UserError as problem:
        raise UserError(f"{path!r}: {problem.what}", problem.hint, 1) from None


def _content(path: str) -> bytes:
    file, _ = files.opened(path, HINT)
    with file:
        try:
            content = files.part(file, 0, MOST_BYTES + 1)
        except OSError as problem:
            raise UserError(f"cannot be read: {problem.strerror}", HINT) from None
    if len(content) > MOST_BYTES:
        raise UserError("is over 64 KiB, too large for a network file")
    return content


def _parsed(content: bytes) -> dict[str, object]:
    """TOML's keys and values. Raises `UserError` before parsing what would take much memory or depth."""
    try:
        text = content.decode()
        _check_flat(text)
        return tomllib.loads(text)
    except ValueError as problem:  # not text, not TOML, a number too long
        reason = "it is not text" if isinstance(problem, UnicodeDecodeError) else str(problem)
        raise UserError(f"is not a TOML file: {reason[:200]}") from None


def _check_flat(text: str) -> None:
    """Raises `UserError` for a key of many parts, which takes their square in memory, and for nesting."""
    depth = 0
    for piece in PIECE.finditer(OPAQUE.sub("", text)):
        depth += DEPTH.get(piece[0], 0)
        if depth > MOST_DEPTH or piece[0].count(".") > MOST_DOTS:
            raise UserError(
                "is nested too deeply", "a network file has plain keys: stages = [3, 4]"
            )


def _spec(given: dict[str, object], name: str) -> zoo.Spec:
    given = {"name": name, **given}
    base = given.pop("base", None)
    if base is not None:
        if not isinstance(base, str):
            raise UserError("base is not the name of a network", 'write it as base = "resnet50"')
        return zoo.changed(zoo.find(base), **_checked(given, zoo.find(base)))
    given.setdefault("family", "own")
    missing = [key for key in ("block", "stages") if key not in given]
    example = zoo.find("resnet50")
    fields = _checked(given, example)
    if missing:
        raise UserError(
            f"{' and '.join(missing)} missing", 'add it, or start from base = "resnet50"'
        )
    return ResNet(**fields)  # type: ignore[arg-type]


def _checked(given: dict[str, object], example: zoo.Spec) -> dict[str, object]:
    """The given values in the types of the example's fields."""
    known = type(example).__dataclass_fields__
    fields: dict[str, object] = {}
    for key, value in given.items():
        if key not in known:
            guess = did_you_mean(key, [*known, "base"])
            raise UserError(f"unknown key {key[:80]!r}", guess or f"allowed: {', '.join(known)}")
        model = getattr(example, key)
        if isinstance(model, tuple):
            if key == "input_size" and type(value) is int:
                value = [value, value]
            whole = isinstance(value, list) and all(type(v) is int for v in value)
            if not whole or (key == "input_size" and len(value) != 2):  # type: ignore[arg-type]
                raise UserError(
                    f"{key} is not a list of whole numbers", f"write {key} = {list(model)}"
                )
            value = tuple(value)  # type: ignore[arg-type]
        elif type(model) is float and type(value) is int and abs(value) < 1 << 53:
            value = float(value)
        elif type(value) is not type(model):
            kind = KINDS[type(model)]
            raise UserError(f"{key} is not {kind}", f"write {key} = {_toml(model)}")
        if isinstance(value, str) and not (value.isprintable() and 0 < len(value) <= 80):
            raise UserError(f"{key} is empty, too long or unprintable", "1 to 80 printable letters")
        fields[key] = value
    return fields


KINDS = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}


def _toml(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value).lower()
