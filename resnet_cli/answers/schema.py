"""schema(): the JSON Schema of what a command prints with ``--json``."""

from __future__ import annotations

from typing import Any

from resnet_cli.answers.json_keys import COMMANDS, Keys
from resnet_cli.designs.spec import DESIGNS, Spec
from resnet_cli.errors import UserError, did_you_mean

DIALECT = "https://json-schema.org/draft/2020-12/schema"
VERSION = 2
TYPES: dict[str, dict[str, Any]] = {
    **{name: {"type": name} for name in ("string", "integer", "number", "boolean")},
    "integer|string": {"type": ["integer", "string"]},
    "of a side": {"type": ["number", "array", "null"], "items": {"type": "number"}},
    **{
        f"{name}s": {"type": "array", "items": {"type": name}}
        for name in ("string", "integer", "number")
    },
    "lists of numbers": {
        "type": "array",
        "items": {"type": "array", "items": {"type": "number"}},
    },
    "value": {"type": ["integer", "number", "string", "boolean", "array", "null"]},
    "shape or type": {"type": ["array", "string", "null"], "items": {"type": "integer"}},
    "changes": {
        "type": "object",
        "additionalProperties": {"type": "object", "required": ["a", "b"]},
    },
    "counts": {"type": "object", "additionalProperties": {"type": "integer"}},
}
FIELDS = {
    "str": TYPES["string"],
    "int": TYPES["integer"],
    "float": TYPES["number"],
    "bool": TYPES["boolean"],
    "tuple[int, ...]": TYPES["integers"],
    "tuple[int, int]": {**TYPES["integers"], "minItems": 2, "maxItems": 2},
}
"""By the type that a spec declares."""
NAMED = {"name": "The network's name", "family": "Whose networks it is one of"}
NAMES = (*COMMANDS, "toml")


def schema(name: str) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a command's JSON, or, for toml, of a network's TOML file.

    Raises `UserError` for a command that prints none.
    """
    if name == "toml":
        return _toml()
    if name not in COMMANDS:
        known = f"those that print JSON: {', '.join(NAMES)}"
        guess = did_you_mean(name, NAMES)
        raise UserError(f"no schema named {name[:40]!r}", f"{guess}? {known}" if guess else known)
    envelope = {
        "schema": {"description": "of this contract", "const": VERSION},
        "command": {"description": "which printed it", "const": name},
    }
    made = _object(COMMANDS[name])
    notes = _described(TYPES["strings"], "what is counted, and how")
    return {
        "$schema": DIALECT,
        "title": f"resnet-cli {name} --json",
        **made,
        "properties": {**envelope, **made["properties"], "notes": notes},
        "required": [*envelope, *made["required"], "notes"],
    }


def _object(keys: Keys) -> dict[str, Any]:
    """An object that has these keys and no other."""
    values = {key.removesuffix("?"): _value(value) for key, value in keys.items() if key}
    numbered = {f"^{key[:-1]}[0-9]+$": values.pop(key) for key in [*values] if key.endswith("_N")}
    return {
        **({"description": keys[""]} if "" in keys else {}),
        "type": "object",
        "properties": values,
        **({"patternProperties": numbered} if numbered else {}),
        "required": [key for key in keys if key and not key.endswith("?")],
        "additionalProperties": False,
    }


def _value(of: Any) -> dict[str, Any]:
    if isinstance(of, list):
        items = _object(of[0])
        return {"description": items.pop("description"), "type": "array", "items": items}
    if isinstance(of, dict):
        return _object(of)
    kind, words = of.split(": ", 1)
    if kind == "spec":
        return {"description": words, "anyOf": [*_specs(), {"type": "null"}]}
    made = TYPES[kind.removesuffix("?")]
    if kind.endswith("?"):
        made = {**made, "type": [made["type"], "null"]}
    return _described(made, words)


def _described(made: dict[str, Any], words: str) -> dict[str, Any]:
    return {"description": words, **made}


def _specs() -> list[dict[str, Any]]:
    """A network's description, by the kinds there are of them."""
    return [_spec(kind) for kind in DESIGNS]


def _spec(kind: type[Spec]) -> dict[str, Any]:
    """Its fields, as the class declares them."""
    fields = kind.__dataclass_fields__
    described = {
        name: of.metadata.get("help", "").rstrip(".") or NAMED[name] for name, of in fields.items()
    }
    return {
        "type": "object",
        "properties": {
            name: _described(FIELDS[str(of.type)], described[name]) for name, of in fields.items()
        },
        "required": [*fields],
        "additionalProperties": False,
    }


def _toml() -> dict[str, Any]:
    from resnet_cli.designs import specfile

    made: dict[str, Any] = specfile.schema()
    return made
