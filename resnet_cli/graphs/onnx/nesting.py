"""The modules around an operation, and its source line, as torch's two ONNX exporters write them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from resnet_cli.checkpoints.container.faults import MOST_NAME
from resnet_cli.graphs.graph import MOST_MODULES, Module, nested

SCOPES, CLASSES, TRACE = (
    f"pkg.torch.onnx.{key}" for key in ("name_scopes", "class_hierarchy", "stack_trace")
)
METADATA = (SCOPES, CLASSES, TRACE)
HEADS = tuple(b"\n" + bytes([len(key)]) + key.encode() for key in METADATA)
"""How an entry of metadata begins that has its key first, as all writers have it."""
LONGEST = max(map(len, HEADS))
QUOTED = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"")
NO_MODULE = "_empty_nn_module_stack_from_metadata_hook"


def is_other(start: bytes) -> bool:
    """Whether an entry of metadata says nothing of modules, by its first `LONGEST` bytes."""
    return start.startswith(b"\n") and not start.startswith(HEADS)


def from_metadata(props: Mapping[str, str]) -> tuple[Module, ...]:
    """By the lists that the newer exporter writes: both end in the operation itself."""
    paths, classes = _listed(props.get(SCOPES, "")), _listed(props.get(CLASSES, ""))
    if len(paths) != len(classes):
        return ()
    pairs = zip(paths[:-1], classes[:-1], strict=True)
    return nested(Module(path, kind) for path, kind in pairs if path and path != NO_MODULE)


def from_name(name: str) -> tuple[Module, ...]:
    """By the node's name, as the older exporter writes it: /layer1/layer1.0/conv1/Conv.

    A child of a list is named with its parent's name before it; any other by its own alone.
    """
    paths: list[str] = []
    path = last = ""
    for part in name.split("/")[1:-1]:
        if last and part.startswith(last + "."):
            path = path.removesuffix(last) + part
        else:
            path = f"{path}.{part}" if path else part
        last = part
        paths.append(path)
        if len(paths) > MOST_MODULES:
            break
    return nested(map(Module, paths))


def _listed(text: str) -> list[str]:
    """The texts of a list as Python prints it; escapes stay as they are."""
    if '"' in text or "\\" in text:
        found = [single or double for single, double in QUOTED.findall(text)]
    else:
        found = text[2:-2].split("', '") if text[:1] == "[" else []
    return [part if part.isprintable() and len(part) <= MOST_NAME else "" for part in found]
