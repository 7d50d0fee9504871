"""A network of one's own, read from TOML: the fields of a spec, on top of a `base` or from nothing."""

from __future__ import annotations

import tomllib
from pathlib import Path

from resnet_cli.designs import zoo
from resnet_cli.designs.resnet import ResNet
from resnet_cli.errors import UserError, did_you_mean

MOST_BYTES = 1 << 16


def read(path: str) -> zoo.Spec:
    """The network in a TOML file.

    Raises `UserError` (exit 1) for a file that cannot be read, is no TOML, or has unknown keys or
    values of the wrong type.
    """
    try:
        with Path(path).open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or str(problem)
        raise UserError(
            f"cannot read {path!r}: {reason}", "give a TOML file or a name", 1
        ) from None
    if len(content) > MOST_BYTES:
        raise UserError(f"{path!r} is over 64 KiB, too large for a network file", code=1)
    try:
        given = tomllib.loads(content.decode())
    except (ValueError, RecursionError) as problem:  # not text, not TOML, a number too long
        reason = "it is not text" if isinstance(problem, UnicodeDecodeError) else str(problem)
        raise UserError(f"{path!r} is not a TOML file: {reason[:200]}", code=1) from None
    try:
        return _spec(given, Path(path).stem)
    except UserError as problem:
        raise UserError(f"{path!r}: {problem.what}", problem.hint, 1) from None


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
