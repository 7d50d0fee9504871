"""What is said of a file's network in words: by a config.json beside it, by the training script that wrote it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple

from resnet_cli import files
from resnet_cli.checkpoints.container.json_text import json_object
from resnet_cli.designs import names, zoo
from resnet_cli.designs.blocks import ACTIVATIONS
from resnet_cli.errors import UserError, folded, printable
from resnet_cli.published.names import LIBRARIES, LibraryName
from resnet_cli.published.names import names as library_names

CONFIG = "config.json"
MOST_BYTES, MOST_MARKS = 1 << 21, 200_000
"""Twenty thousand labels, as some have, take a fourth of it."""


class Said(NamedTuple):
    """``spec`` is the network that is named, ``fields`` what else is said of one; ``by`` is who says it.

    ``problem`` says in a sentence why what is said there does not count. ``hint`` is a network that the file is
    called as, which proves nothing.
    """

    by: str = ""
    spec: zoo.Spec | None = None
    fields: dict[str, object] = {}  # noqa: RUF012  (never changed)
    problem: str = ""
    hint: zoo.Spec | None = None


def said(path: str, content: object, scheme: str) -> Said:
    """What stands beside a weight file of a scheme's names, or in it: nothing there is a path, nothing is run."""
    return _in_words(path, content, scheme)._replace(hint=called_as(os.path.basename(path)))


def called_as(file: str) -> zoo.Spec | None:
    """The library's network that a file is called as: timm's resnetaa50 for resnetaa50_a1h-4cf422b3.pth."""
    parts = re.split(r"([-_])", file[:200].partition(".")[0])
    for end in range(len(parts), 0, -2):  # the longest name first
        specs = _called("".join(parts[:end]), LIBRARIES)
        if specs:
            return specs[0] if len(specs) == 1 else None
    return None


def _in_words(path: str, content: object, scheme: str) -> Said:
    config = os.path.join(os.path.dirname(path), CONFIG)
    beside = of_config(config, scheme) if os.path.lexists(config) else Said()
    if beside.by or beside.problem or not isinstance(content, dict):
        return beside
    name = content.get("arch")  # of pytorch/examples and timm's own training
    if not isinstance(name, str) or len(name) > 200:
        return beside
    specs = _called(name, LIBRARIES)
    by = f"arch {printable(name, 80)!r} in the file"
    return Said(by, specs[0]) if len(specs) == 1 else beside


def of_config(path: str, scheme: str) -> Said:
    """What a config.json of timm's or of transformers says of the network."""
    by = f"the {CONFIG} beside it"
    try:
        config = json_object(files.content(path, MOST_BYTES, ""), MOST_MARKS)
    except UserError as problem:
        return Said(problem=f"{by} {problem.what}, and does not count")
    name = config.get("architecture")
    if isinstance(name, str):
        return _timm(by, name[:200], bool(config.get("model_args")))
    if config.get("model_type") in ("resnet", "regnet") and scheme.startswith("Hugging Face"):
        return _transformers(by, config)
    return Said()


def _timm(by: str, name: str, changed: bool) -> Said:
    specs = _called(name, ("timm",))
    shown = printable(name, 80)
    if changed:
        return Said(problem=f"{by} has arguments for timm's {shown}, which are not read")
    if not specs:
        return Said(problem=f"{by} names timm's {shown}, which is not described here")
    return Said(by, specs[0])


def _transformers(by: str, config: dict[str, Any]) -> Said:
    """Where a bottleneck strides, and the activation, of a ResNet; a RegNet has no choice here."""
    act, residual = config.get("hidden_act", "relu"), config["model_type"] == "resnet"
    activation = next((each for each in ACTIVATIONS if each.lower() == act), None)
    if config.get("downsample_in_first_stage") or activation is None:
        return Said(problem=f"{by} tells of an activation or a stride that is not described here")
    if not residual:
        other = f"{by} tells of {activation}, and a RegNet here has ReLU"
        return Said(problem="" if activation == "ReLU" else other)
    style = "v1" if config.get("downsample_in_bottleneck") else "v1.5"
    return Said(by, fields={"style": style, "activation": activation})


def _called(name: str, libraries: Iterable[str]) -> list[zoo.Spec]:
    """The different networks that libraries call so, of those that are described."""
    called = _by_name().get(folded(name.partition(".")[0]), [])
    rows = [row for row in called if row.library in libraries]
    if any(row.differs for row in rows):
        return []
    return list({(row.network, row.changes): names.spec_of(row) for row in rows}.values())


@cache
def _by_name() -> dict[str, list[LibraryName]]:
    rows: dict[str, list[LibraryName]] = {}
    for row in library_names():
        rows.setdefault(folded(row.name), []).append(row)
    return rows
