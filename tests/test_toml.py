"""The page and the schema of a network file: both from the fields of a spec."""

import os
import re
import tomllib
from dataclasses import asdict
from pathlib import Path

import pytest
from listed import ZOO

from resnet_cli.designs import zoo
from resnet_cli.designs.convnext import ConvNeXt
from resnet_cli.designs.fields import FIELDS
from resnet_cli.designs.iresnet import IResNet
from resnet_cli.designs.regnet import RegNet
from resnet_cli.designs.resnet import ResNet
from resnet_cli.designs.specfile import read, schema
from resnet_cli.designs.vgg import VGG
from resnet_cli.errors import UserError
from resnet_cli.models import load

PAGE = Path(__file__).parent.parent / "docs/toml.md"
KEYS = re.compile(r"(?<=<!-- keys -->\n).*?(?=<!-- /keys -->)", re.DOTALL)
KINDS = {"int": "{least:,} to {most:,}", "float": "0 to 1000", "bool": "true, false"}


def values(key, field):
    """What a key takes, in words."""
    if field.metadata["allowed"]:
        return ", ".join(f'`"{word}"`' for word in field.metadata["allowed"])
    if key in ("stages", "widths"):
        return "a list of whole numbers"
    if key == "input_size":
        return "a whole number, or [height, width]"
    return KINDS[field.type].format(**field.metadata)


def keys_table():
    """Every key, for which networks, what it takes and what it is where it is left out."""
    lines = ["| key | takes | without a base | |", "|---|---|---|---|"]
    for key, field in FIELDS.items():
        kinds = [kind for kind in (RegNet, ConvNeXt, VGG) if key in kind.__dataclass_fields__]
        names = ", ".join(kind.__name__ for kind in kinds)
        only = "" if key in ResNet.__dataclass_fields__ else f" ({names})"
        default = (
            getattr(zoo.find("resnet50"), key, None) if key not in ("block", "stages") else None
        )
        shown = (
            "" if default is None else str([*default] if isinstance(default, tuple) else default)
        )
        default = f"`{shown.lower() if isinstance(default, bool) else shown}`" if shown else ""
        lines.append(
            f"| `{key}`{only} | {values(key, field)} | {default} | {field.metadata['help']} |"
        )
    return "\n".join(lines) + "\n"


def test_the_page_has_every_key():
    """UPDATE_DOCS=1 writes the table anew."""
    page = PAGE.read_text(encoding="utf-8")
    renewed = KEYS.sub(lambda _: keys_table(), page)
    if os.environ.get("UPDATE_DOCS") == "1":
        PAGE.write_text(renewed, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == renewed


def test_the_files_on_the_page_are_networks(tmp_path):
    """Each block of TOML is read."""
    for number, text in enumerate(re.findall(r"```toml\n(.*?)```", PAGE.read_text(), re.DOTALL)):
        (tmp_path / f"{number}.toml").write_text(text)
        load(str(tmp_path / f"{number}.toml"))


def fits(value, schema):
    """Whether a value fits the part of JSON Schema that ours uses."""
    if "anyOf" in schema and not any(fits(value, each) for each in schema["anyOf"]):
        return False
    kinds = {
        "integer": int,
        "number": (int, float),
        "boolean": bool,
        "string": str,
        "array": list,
        "object": dict,
    }
    kind = schema.get("type")
    if kind and (
        not isinstance(value, kinds[kind]) or (kind == "integer" and isinstance(value, bool))
    ):
        return False
    if isinstance(value, dict):
        known = schema.get("properties", {})
        return all(key in value for key in schema.get("required", ())) and all(
            key in known and fits(each, known[key]) for key, each in value.items() if known
        )
    if isinstance(value, list):
        return "items" not in schema or (
            schema["minItems"] <= len(value) <= schema["maxItems"]
            and all(fits(each, schema["items"]) for each in value)
        )
    if isinstance(value, str):
        return value in schema.get("enum", [value]) and schema.get("minLength", 0) <= len(
            value
        ) <= schema.get("maxLength", 99)
    return schema.get("minimum", value) <= value <= schema.get("maximum", value)


@ZOO
def test_every_listed_network_fits_the_schema(spec):
    """Written out field by field, on a base or whole."""
    fields = {
        key: [*value] if isinstance(value, tuple) else value for key, value in asdict(spec).items()
    }
    assert fits({"base": spec.name, **fields}, schema())
    assert fits(fields, schema()) == (not isinstance(spec, VGG | IResNet))


@pytest.mark.parametrize(
    "text",
    [
        "", "base = 1", "base = 'resnet50'\ngropus = 2", "base = 'resnet50'\ngroups = 0", "base = 'resnet50'\ngroups = true",
        "base = 'resnet50'\ngroups = 1.5", "base = 'resnet50'\nstyle = 'v2'", "base = 'resnet50'\nstages = [3, 0, 1, 1]",
        "base = 'resnet50'\nstages = [3, 4]", "base = 'resnet50'\ninput_size = [1, 2, 3]", "base = 'resnet50'\ninput_size = 65537",
        "base = 'resnet50'\nbody_scale = 1001", "block = 'basic'", "stages = [1, 1, 1]", "base = 'resnet50'\nname = ''",
    ],
)  # fmt: skip
def test_the_schema_refuses_what_the_program_refuses(tmp_path, text):
    """And what it is refused for is an error of the file, exit 1."""
    assert not fits(tomllib.loads(text), schema())
    (tmp_path / "a.toml").write_text(text)
    with pytest.raises(UserError) as error:
        read(str(tmp_path / "a.toml"))
    assert error.value.code == 1


def test_the_schema_has_every_key_and_what_is_said_of_it():
    """Those of residual networks, RegNets, ConvNeXts and VGG."""
    properties = schema()["properties"]
    kinds = (ResNet, RegNet, ConvNeXt, VGG)
    fields = {key for kind in kinds for key in kind.__dataclass_fields__}
    assert set(properties) == fields | {"base"}
    assert all(each["description"] for each in properties.values())


@pytest.mark.parametrize("text", [b"base = ", b"\xff\xfe", b"width = " + b"9" * 5_000])
def test_what_is_no_toml_is_told_with_what_to_write(tmp_path, text):
    """A line on what is wrong, in no words of Python's library, and a hint."""
    (tmp_path / "own.toml").write_bytes(text)
    with pytest.raises(UserError, match="is not a TOML file") as error:
        read(str(tmp_path / "own.toml"))
    assert error.value.hint and "sys." not in error.value.what


def test_a_file_may_begin_as_some_editors_begin_it(tmp_path):
    """A byte order mark is no key."""
    file = tmp_path / "mine.toml"
    file.write_bytes(b"\xef\xbb\xbfbase = 'resnet18'\n")
    assert load(str(file)).spec == zoo.changed(zoo.find("resnet18"), name="mine")
