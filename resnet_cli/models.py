"""What MODEL may be, and how it becomes a network: a file by its content, a library's name, Python, a listed name."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from resnet_cli import files
from resnet_cli.designs import fields, names, zoo
from resnet_cli.errors import UserError, printable, typed
from resnet_cli.inputs import Given
from resnet_cli.networks import (
    NOTHING,
    Network,
    Origin,
    nothing_to_change,
    of_graph,
    of_spec,
    refuse_dims,
    sized,
)
from resnet_cli.published.names import LIBRARIES

SUFFIXES = (
    ".toml", ".safetensors", ".json", ".pth", ".pt", ".bin", ".tar", ".ckpt", ".zip", ".pkl", ".npz",
    ".pt2", ".onnx", ".h5", ".hdf5", ".keras", ".tflite", ".gguf", ".xml", ".py",
)  # fmt: skip
"""What a name ends in that is a file's, also where there is no such file."""
OBJECT = r":(?![\\/])"
"""A colon, but that of C:\\ on Windows."""
PYTHON = r"(?s)(?:(.+\.py):(?![\\/]).*|([^\W\d]\w*(?:\.[^\W\d]\w*)*):[^\W\d][\w.]*(?:\(.*)?)"
"""FILE.py:OBJECT or package.module:OBJECT, with or without arguments in parentheses."""


def load(model: str | int | zoo.Spec | Network, given: Given = NOTHING) -> Network:
    """The network that is called or described so, or that a file holds; a number is resnet50's 50.

    A text is read in this order: an existing file, by its content; a name of timm's or torchvision's
    behind their prefix; KEY=VALUE,… behind a colon, which changes what stands before it (resnet50:groups=32);
    a listed name, another library's, one found by formula (`names.find`).
    ``given`` has sizes of its inputs, where others than usual are asked about.
    Raises `UserError` for what names no network (exit 2), and for a bad or missing file (exit 1).
    """
    if isinstance(model, Network):
        return sized(model, given)
    if isinstance(model, int):
        return sized(of_spec(names.by_depth(model)), given)
    if is_module(model):
        return of_module(model)
    if not isinstance(model, str):
        return sized(of_spec(model), given)
    source, texts = fields.overrides(model)
    if texts and is_python(source):
        raise _in_parentheses(source, texts)
    network = _of_source(source, given)
    if network.spec:
        network = sized(network, given)
    if not texts:
        return network
    if network.spec is None:
        raise nothing_to_change(network)
    changed = network.changed(**fields.from_text(texts, network.spec))
    return changed._replace(origin=network.origin._replace(source=model))


def looks_like_a_path(source: str) -> bool:
    """Whether a text names a file, there or not; a name of the hub has a slash, too."""
    is_path = "/" in source or os.sep in source or source.lower().endswith(SUFFIXES)
    return is_path and not names.is_repository(source)


def runs_python(model: str) -> bool:
    """Whether MODEL would import or build what somebody wrote, by its form alone.

    That is whatever has a colon which no KEY=VALUE follows, but for a library's network that is
    described here; and what ends in .py.
    """
    model = model.strip()
    before = fields.source(model)
    if names.library_of(before):
        with suppress(UserError):
            return not names.find(before)
        return True
    prefix = model.partition(":")[0].strip().lower()
    objects = bool(re.search(OBJECT, before)) or ":" in model[len(before) + 1 :]
    return objects or before.endswith(".py") or (":" in model and prefix in ("hf", *LIBRARIES))


def _of_source(source: str, given: Given) -> Network:
    """The network of a file or a name, before anything is changed."""
    if os.path.exists(source) and not os.path.isdir(source):
        return _of_file(source, given)
    if names.library_of(source) or names.is_repository(source):
        with suppress(UserError):
            return of_spec(names.find(source), Origin("spec", source))
    if is_python(source):
        return of_python(source, given)
    if looks_like_a_path(source):
        what = (
            f"{source!r} is a directory" if os.path.isdir(source) else f"no such file: {source!r}"
        )
        raise UserError(what, "give a file that exists, or a name: resnet-cli list", 1)
    return of_spec(names.find(source), Origin("spec", source))


def is_python(source: str) -> bool:
    """Whether a MODEL that is no file is a library's network, or an object of somebody's Python."""
    if names.library_of(source) or source.startswith("hf:"):
        return True
    python = re.fullmatch(PYTHON, source)
    if not python or python[1]:
        return bool(python)
    try:
        names.find(python[2])
    except UserError:
        return True
    raise UserError(  # resnet50:groups
        f"what stands behind {python[2][:80]!r} and its colon is not KEY=VALUE",
        f"type it as {python[2][:80]}:num_classes=10",
    )


def _in_parentheses(source: str, texts: Mapping[str, str]) -> UserError:
    """The error for KEY=VALUE behind what a constructor makes."""
    typed_again = ",".join(f"{key}={text}" for key, text in texts.items())
    hint = f"type '{source[:80]}({typed_again})'"
    with suppress(UserError):
        ours = names.in_library(source).ours
        hint += f", or {ours}{',' if ':' in ours else ':'}{typed_again}"
    return UserError(
        f"KEY=VALUE does not change {source[:80]!r}: a constructor's arguments stand in parentheses",
        hint,
    )


def _of_file(path: str, given: Given) -> Network:
    """The network of a file by its content, whatever it is called: TOML is text, weights are not."""
    from resnet_cli.checkpoints.container.kinds import kind

    hint = "give a TOML file, a weight file or a name"
    try:
        file, _ = files.opened(path, hint)
        with file:
            what = kind(files.part(file, 0, 512))
    except OSError as problem:
        raise UserError(f"{path!r} cannot be read: {problem.strerror}", hint, 1) from None
    except UserError as problem:
        raise UserError(f"{path!r} {problem.what}", problem.hint, 1) from None
    if what in ("zip", ""):
        from resnet_cli.graphs.read import holds_graph

        if holds_graph(path):
            return _of_graph_file(path, given)
    if what == "text" and path.endswith(".py"):
        raise _whole_file(path)
    if what == "text" or (not what and path.endswith(".toml")):
        from resnet_cli.designs import specfile  # tomllib takes milliseconds to load

        return of_spec(specfile.read(path), Origin("spec", path))
    return _recognised(path)


def _whole_file(path: str) -> UserError:
    """The error for a file of Python without an object; nothing in it is run."""
    text = files.content(path, 1 << 20, "give a smaller one").decode(errors="replace")
    defined = re.findall(r"(?m)^(?:class|def) (\w+)", text) or ["OBJECT"]
    shown = printable(path, 80)
    return UserError(
        f"{shown!r} is Python; one of its objects makes a network",
        f"type {' or '.join(f'{shown}:{name}' for name in defined[:4])}",
    )


def _of_graph_file(path: str, given: Given) -> Network:
    """The network of a .pt2 or .onnx file, without torch and onnx.

    Raises `UserError` for a damaged file (exit 1), and for sizes that are missing or do not fit (exit 2).
    """
    from resnet_cli.graphs.read import read

    graph = read(path)
    origin = Origin(graph.format, path, version=graph.producer or None)
    return of_graph(graph, printable(os.path.basename(path), 80), origin, given)


def _recognised(path: str) -> Network:
    """The network of a weight file, called as the file where it has no name; of several with its tensors the usual one."""
    from resnet_cli.checkpoints.identify.infer import UNLISTED
    from resnet_cli.checkpoints.identify.recognise import of_file

    recognised = of_file(path).recognised()
    if not recognised.fits:
        raise UserError(
            f"{path!r} holds no network that is known here; the nearest differs: {recognised.words[0]}",
            f"see {typed('identify', path)}",
            1,
        )
    spec = recognised.spec
    if spec.name == UNLISTED:
        spec = zoo.changed(spec, name=printable(os.path.basename(path), 80))
    network = of_spec(spec, Origin("weights", path))
    if recognised.settled:
        return network
    every = tuple(each.network for each in recognised.candidates)
    return network._replace(notes=(f"its weights are {recognised.told}",), open=every)


def of_python(model: str, given: Given = NOTHING) -> Network:
    """The network of a library's name, or of an object of somebody's Python, built and run once by torch.

    Raises `UserError` for what does not exist or fit (exit 2), for what its own code raises, and for
    what is not installed (exit 1).
    """
    _need(model)
    refuse_dims(model, given)
    from resnet_cli.pytorch.doors import ran

    graph, how, version = ran(model, given.inputs, given.batch or 1)
    return of_graph(graph, printable(model, 300), Origin("module", model, how, version))


def _need(model: str) -> None:
    """Raises `UserError` (exit 1) where torch or the library that builds it is missing, with all that is."""
    from importlib.util import find_spec

    library = "transformers" if model.startswith("hf:") else names.library_of(model)
    needs = ("torch", library) if library else ("torch",)
    missing = [module for module in needs if find_spec(module) is None]
    if missing:
        hint = f"pip install {' '.join(missing)}"
        with suppress(UserError):
            hint += f"; the nearest that needs none is {names.in_library(model).ours}"
        are = "is" if len(missing) == 1 else "are"
        raise UserError(
            f"{printable(model, 80)!r} needs {' and '.join(missing)}, which {are} not installed",
            hint,
            1,
        )


def of_module(module: Any, input: Any = None) -> Network:
    """The network of a `torch.nn.Module`, run once on a shape, a tensor, a tuple or a mapping of these.

    The module stays as it was. Raises `UserError` (exit 1) for what its own code raises.
    """
    from resnet_cli.pytorch.doors import ran_on

    graph, how, version = ran_on(module, input)
    name = type(module).__name__
    network = of_graph(graph, printable(name, 80), Origin("module", name, how, version))
    return network._replace(module=(module, input))


def is_module(value: object) -> bool:
    """Whether it is a `torch.nn.Module`, which none is before torch is imported."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.nn.Module)
