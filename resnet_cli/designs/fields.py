"""The fields of a spec as they are typed: in TOML, behind a colon of MODEL, as options."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import Field
from typing import Any

from resnet_cli.designs.spec import DESIGNS, Spec
from resnet_cli.errors import UserError, did_you_mean


def _of(kind: type[Spec]) -> dict[str, Field[Any]]:
    return {key: field for key, field in kind.__dataclass_fields__.items() if field.metadata}


FIELDS = {key: field for kind in (*DESIGNS, DESIGNS[0]) for key, field in _of(kind).items()}
"""The fields of every spec that can be changed, those of residual networks first."""
OVERRIDDEN = r"(?s)(.+):(\s*[A-Za-z][\w-]*\s*=.*)"
"""KEY=VALUE behind the colon of MODEL."""
KINDS = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}
MOST_NUMBERS = 64
NUMBER = r"[0-9]{1,12}"
WHOLE = r"[-+]?[0-9]{1,30}"
FLOAT = r"[-+]?([0-9]{1,30}\.?[0-9]{0,30}|\.[0-9]{1,30})([eE][-+]?[0-9]{1,3})?"


def checked(
    values: Mapping[str, object],
    example: Spec,
    written: Callable[[str, object], str],
    beside: tuple[str, ...] = (),
) -> dict[str, object]:
    """The values in the types of the example's fields; ``written`` shows one as it is typed,
    ``beside`` are keys that may be meant and are read elsewhere.

    Raises `UserError` for a key that such a network does not have, or a value of another type.
    """
    known = type(example).__dataclass_fields__
    fields: dict[str, object] = {}
    for key, value in values.items():
        if key not in known:
            guess = did_you_mean(key, [*known, *beside])
            raise UserError(f"unknown key {key[:80]!r}", guess or f"allowed: {', '.join(known)}")
        model = getattr(example, key)
        if isinstance(model, tuple):
            if key == "input_size" and type(value) is int:
                value = [value, value]
            whole = isinstance(value, list) and all(type(v) is int for v in value)
            if not whole or (key == "input_size" and len(value) != 2):  # type: ignore[arg-type]
                raise UserError(
                    f"{key} is not a list of whole numbers", f"write {written(key, model)}"
                )
            value = tuple(value)  # type: ignore[arg-type]
        elif type(model) is float and type(value) is int and abs(value) < 1 << 53:
            value = float(value)
        elif type(value) is not type(model):
            raise UserError(f"{key} is not {KINDS[type(model)]}", f"write {written(key, model)}")
        if isinstance(value, str) and not (value.isprintable() and 0 < len(value) <= 80):
            raise UserError(f"{key} is empty, too long or unprintable", "1 to 80 printable letters")
        fields[key] = value
    return fields


def from_text(texts: Mapping[str, str], example: Spec) -> dict[str, object]:
    """The same for values that are typed as text, KEY=VALUE: 3-4-6-3, 224x320, true, 0.5, v1.5.

    Raises `UserError` as `checked` does.
    """
    values = {key: _read(text, getattr(example, key, None)) for key, text in texts.items()}
    return checked(values, example, inline)


def _read(text: str, model: object) -> object:
    """A text as a value of the model's type; itself where it is none."""
    value: object = None
    if isinstance(model, bool):
        value = {"true": True, "false": False}.get(text)
    elif isinstance(model, tuple):
        listed = numbers(text)
        value = listed[0] if listed and len(listed) == 1 and len(model) == 2 else listed
    elif isinstance(model, int) and re.fullmatch(WHOLE, text):
        value = int(text)
    elif isinstance(model, float) and re.fullmatch(FLOAT, text):
        value = float(text)
    return text if value is None else value


def numbers(text: str) -> list[int] | None:
    """Whole numbers between commas, dashes or ×: 3,4,6,3 or 3-4-6-3 or 224x320; None for all else."""
    parts = re.split(r"[-,x×]", text.lower(), maxsplit=MOST_NUMBERS)
    parts = [part.strip() for part in parts]
    if len(parts) > MOST_NUMBERS or not all(re.fullmatch(NUMBER, part) for part in parts):
        return None
    return [*map(int, parts)]


def inline(key: str, value: object) -> str:
    """KEY=VALUE as MODEL takes it: stages=3-4-6-3."""
    if isinstance(value, tuple):
        return f"{key}={('x' if key == 'input_size' else '-').join(map(str, value))}"
    return f"{key}={str(value).lower() if isinstance(value, bool) else value}"


def differences(before: Spec, after: Spec) -> list[str]:
    """The fields that the second has otherwise, in words: `style v1.5`, `stages 3,4,9,3`."""
    return [
        f"{key.replace('_', ' ')} {_in_words(key, getattr(after, key))}"
        for key in after.__dataclass_fields__
        if key not in ("name", "family") and getattr(after, key) != getattr(before, key, None)
    ]


def _in_words(key: str, value: Any) -> str:
    if isinstance(value, tuple):
        return ("×" if key == "input_size" else ",").join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def overrides(model: str) -> tuple[str, dict[str, str]]:
    """MODEL's source, and what is typed behind its colon: resnet50:base-width=4 -> base_width: 4.

    Raises `UserError` for a key that is given twice.
    """
    parted = None
    if "=" in model and not os.path.isfile(model):
        parted = re.fullmatch(OVERRIDDEN, model)
    if parted is None or parted[1].count("(") != parted[1].count(")"):  # a text in parentheses
        return model, {}
    texts: dict[str, str] = {}
    for each in parted[2].split(","):
        key, equals, text = each.partition("=")
        key = key.strip().replace("-", "_")
        if not equals:
            raise UserError(
                f"{each[:80]!r} is not KEY=VALUE",
                "a list takes dashes: stages=3-4-6-3, input_size=224x320",
            )
        if key in texts:
            raise UserError(f"{key[:80]} is given twice", "give it once")
        texts[key] = text.strip()
    return parted[1], texts


def source(model: str) -> str:
    """What stands before KEY=VALUE, if that is there."""
    parted = re.fullmatch(OVERRIDDEN, model)
    return parted[1] if parted else model
