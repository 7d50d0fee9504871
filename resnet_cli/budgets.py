"""What a project asks of its networks: [tool.resnet-cli.check] of a pyproject.toml, and an earlier answer."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, NamedTuple

from resnet_cli import files, models
from resnet_cli.designs import fields
from resnet_cli.errors import UserError, did_you_mean

FILE = "pyproject.toml"
MOST_BYTES = 1 << 19
MOST_TABLES = 200
MOST_NAME = 200
MOST_BASELINE = 1 << 22
HINT = 'limits stand in [tool.resnet-cli.check.NAME]; a NAME with dots in quotes: check."resnet50-v1.5"'
SAVE = "save one by resnet-cli check --json > FILE"


class Tables(NamedTuple):
    """A project's tables: what each asks, as it was written, by its name; "" for ``path`` where there is none."""

    path: str
    tables: dict[str, dict[str, object]]

    def place(self, name: str) -> str:
        """A table as an error names it."""
        return f"[tool.resnet-cli.check.{name}] of {self.path!r}"


def read(folder: str) -> Tables:
    """The tables of the nearest pyproject.toml, from the folder upward, that has [tool.resnet-cli].

    A ``model`` is there in every one, and paths are beside the file. Raises `UserError`
    (exit 1) for a file on the way that cannot be read, or holds anything else in their place.
    """
    for path in _upward(folder):
        try:
            content = files.content(path, MOST_BYTES, HINT)
            if b"resnet-cli" not in content:  # most files: not parsed, whatever is in them
                continue
            from resnet_cli import toml  # tomllib takes milliseconds to load

            document = toml.parsed(content, HINT)
            tool = document.get("tool")
            if not isinstance(tool, dict) or "resnet-cli" not in tool:
                continue
            return Tables(path, dict(_tables(tool["resnet-cli"], os.path.dirname(path))))
        except UserError as problem:
            raise UserError(f"{path!r} {problem.what}", problem.hint, 1) from None
    return Tables("", {})


def _upward(folder: str) -> Iterator[str]:
    """Every pyproject.toml from a folder up to the root, by its path from the working directory."""
    try:
        at = os.path.realpath(folder)
    except OSError:  # the working directory is gone
        return
    while True:
        path = os.path.join(at, FILE)
        if os.path.lexists(path):
            yield os.path.relpath(path)
        at, below = os.path.dirname(at), at
        if at == below:
            return


def _tables(ours: object, folder: str) -> Iterator[tuple[str, dict[str, object]]]:
    if not isinstance(ours, dict):
        raise UserError("has no table [tool.resnet-cli]", "write [tool.resnet-cli.check.resnet18]")
    for key in ours:
        if key != "check":
            guess = did_you_mean(key, ["check"]) or "allowed: check"
            raise UserError(f"has the unknown key {key[:80]!r} in [tool.resnet-cli]", guess)
    tables = ours.get("check", {})
    if not isinstance(tables, dict):
        raise UserError(
            "has no table [tool.resnet-cli.check]", "write [tool.resnet-cli.check.NAME]"
        )
    if len(tables) > MOST_TABLES:
        raise UserError(f"has {len(tables):,} tables of limits", f"allowed: up to {MOST_TABLES}")
    for name, table in tables.items():
        if not isinstance(table, dict):
            hint = f"limits stand in a table of each network: [tool.resnet-cli.check.{name[:80]}]"
            raise UserError(
                f"has {name[:80]!r} in [tool.resnet-cli.check], which is no table", hint
            )
        if not (name.isprintable() and 0 < len(name) <= MOST_NAME):
            raise UserError(
                f"has a table {name[:80]!r}, too long or unprintable",
                f"1 to {MOST_NAME} printable letters",
            )
        model = table.get("model", name)
        yield name, {**table, "model": _beside(model, folder) if isinstance(model, str) else model}


def _beside(model: str, folder: str) -> str:
    """A model with its path, if it is one, relative to the folder; changes may stand behind a colon."""
    source = fields.source(model)
    is_path = models.looks_like_a_path(source) or os.path.exists(os.path.join(folder, source))
    return os.path.join(folder, model) if is_path else model


def baseline(path: str) -> dict[str, Any]:
    """What an earlier summary or check printed as JSON. Raises `UserError` (exit 1) for all else."""
    import json

    try:
        document = json.loads(files.content(path, MOST_BASELINE, SAVE))
    except UserError as problem:
        raise UserError(f"{path!r} {problem.what}", problem.hint, 1) from None
    except (ValueError, RecursionError):  # not text, no JSON, a number too long; nested too deeply
        raise UserError(f"{path!r} is not a JSON file", SAVE, 1) from None
    if not isinstance(document, dict) or document.get("command") not in ("summary", "check"):
        raise UserError(f"{path!r} is no answer of summary or check", SAVE, 1)
    return document
