"""A network of one's own, read from TOML: the fields of a spec, on top of a `base` or from nothing."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from resnet_cli import files, toml
from resnet_cli.designs import fields, limits, names, zoo
from resnet_cli.designs.convnext import ConvNeXt
from resnet_cli.designs.iresnet import IResNet
from resnet_cli.designs.regnet import RegNet
from resnet_cli.designs.resnet import ResNet
from resnet_cli.designs.vgg import VGG
from resnet_cli.errors import UserError

HINT = "give a TOML file or a name"
PLAIN = "a network file has plain keys: stages = [3, 4]"
REQUIRED: dict[type[zoo.Spec], tuple[str, ...]] = {
    ResNet: ("block", "stages"),
    RegNet: ("stages", "widths", "group_width"),
    ConvNeXt: ("stages", "widths", "kernel"),
}
"""The keys without which a file needs a base, by the kind of its network."""
EXAMPLES = {
    ResNet: "resnet50", RegNet: "regnet_y_400mf", ConvNeXt: "convnext_tiny", IResNet: "iresnet50",
    VGG: "vgg16",
}  # fmt: skip
MOST_BYTES = 1 << 16


def read(path: str) -> zoo.Spec:
    """The network in a TOML file.

    Raises `UserError` (exit 1) for a file that cannot be read, is no TOML, or has unknown keys or
    values of the wrong type.
    """
    try:
        given = toml.parsed(files.content(path, MOST_BYTES, HINT), PLAIN)
    except UserError as problem:
        raise UserError(f"{path!r} {problem.what}", problem.hint, 1) from None
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
        spec = names.find(base)
        return zoo.changed(spec, **fields.checked(given, spec, _toml, ("base",)))
    given.setdefault("family", "own")
    kinds = [kind for kind in REQUIRED if _has(kind, given)]
    whole = [kind for kind in kinds if given.keys() >= {*REQUIRED[kind]}]
    kind = [*whole, *kinds, ResNet][0]
    missing = [key for key in REQUIRED[kind] if key not in given]
    values = fields.checked(given, zoo.find(EXAMPLES[kind]), _toml, ("base",))
    if missing:
        raise UserError(
            f"{' and '.join(missing)} missing",
            f'add it, or start from base = "{EXAMPLES[kind]}"',
        )
    return kind(**values)  # type: ignore[arg-type]


def _has(kind: Any, given: Iterable[str]) -> bool:
    """Whether such a network has all of these fields."""
    return bool(set(given) <= kind.__dataclass_fields__.keys())


def _size(kind: Any) -> int:
    return len(kind.__dataclass_fields__)


def of_fields(values: dict[str, object]) -> zoo.Spec:
    """The network with all of these fields, as `dataclasses.asdict` gives them. Raises `UserError` as `read`."""
    kinds = [kind for kind in EXAMPLES if _has(kind, values)]
    kind = min(kinds, key=_size, default=ResNet)  # an IResNet's fields are a ResNet's, too
    example = zoo.find(EXAMPLES[kind])
    checked = fields.checked(values, example, _toml)
    if missing := [key for key in example.__dataclass_fields__ if key not in checked]:
        raise UserError(f"{missing[0]} missing", "give every field")
    return type(example)(**checked)  # type: ignore[arg-type]


def _toml(key: str, value: object) -> str:
    if isinstance(value, str):
        return f'{key} = "{value}"'
    return f"{key} = {[*value] if isinstance(value, tuple) else str(value).lower()}"


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 7, which editors read) of such a file, from the fields of a spec."""
    kinds = {"int": "integer", "float": "number", "bool": "boolean", "str": "string"}
    name = {"type": "string", "minLength": 1, "maxLength": 80}
    about_base = "The network to start from; without it block and stages are needed, or stages, widths and group width or kernel."
    properties: dict[str, dict[str, Any]] = {
        "base": {"type": "string", "description": about_base, "examples": zoo.names()},
        "name": {**name, "description": "What it is called; the file's name where it is left out."},
        "family": {
            **name,
            "description": 'The family it is shown with: "own" where it is left out.',
        },
    }
    for key, field in fields.FIELDS.items():
        about = field.metadata
        each: dict[str, Any] = {"description": about["help"]}
        if about["allowed"]:
            each |= {"type": "string", "enum": [*about["allowed"]]}
        elif key == "stages":
            blocks = {"type": "integer", "minimum": 1, "maximum": limits.BLOCKS}
            each |= {"type": "array", "items": blocks, "minItems": 3, "maxItems": 5}
        elif key == "widths":
            channels = {"type": "integer", "minimum": 1, "maximum": limits.CHANNELS}
            each |= {"type": "array", "items": channels, "minItems": 0, "maxItems": 4}
        elif key == "input_size":
            side = {"type": "integer", "minimum": 1, "maximum": limits.PIXELS}
            both = {"type": "array", "items": side, "minItems": 2, "maxItems": 2}
            each["anyOf"] = [side, both]
        else:
            each["type"] = kinds[str(field.type)]
            if field.type == "int":
                each |= {"minimum": about["least"], "maximum": about["most"]}
            elif field.type == "float":
                each |= {"minimum": 0, "maximum": min(about["most"], limits.FACTOR)}
        properties[key] = each
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A network of resnet-cli",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "anyOf": [{"required": ["base"]}, *({"required": [*keys]} for keys in REQUIRED.values())],
    }
