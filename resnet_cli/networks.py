"""Network: what every question is asked of, and how a MODEL becomes one."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from itertools import chain, count
from typing import TYPE_CHECKING, Any, NamedTuple

from resnet_cli import files
from resnet_cli.designs import fields, limits, names, zoo
from resnet_cli.errors import UserError, printable, typed
from resnet_cli.inputs import Given, Typed, matched
from resnet_cli.layers.arithmetic import Shape
from resnet_cli.layers.tree import Sequence
from resnet_cli.layers.uncounted import Uncounted
from resnet_cli.published.names import LIBRARIES
from resnet_cli.trace import Row, live, trace

if TYPE_CHECKING:
    from resnet_cli.graphs.graph import Graph

SUFFIXES = (
    ".toml", ".safetensors", ".json", ".pth", ".pt", ".bin", ".tar", ".ckpt", ".zip", ".pkl", ".npz",
    ".pt2", ".onnx", ".h5", ".hdf5", ".keras", ".tflite", ".gguf", ".xml", ".py",
)  # fmt: skip
"""What a name ends in that is a file's, also where there is no such file."""
OVERRIDDEN = r"(?s)(.+):(\s*[A-Za-z][\w-]*\s*=.*)"
OBJECT = r":(?![\\/])"
"""A colon, but that of C:\\ on Windows."""
PYTHON = r"(?s)(?:(.+\.py):(?![\\/]).*|([^\W\d]\w*(?:\.[^\W\d]\w*)*):[^\W\d][\w.]*(?:\(.*)?)"
"""FILE.py:OBJECT or package.module:OBJECT, with or without arguments in parentheses."""


NOTHING = Given()


class Input(NamedTuple):
    """A tensor that the network takes; ``shape`` is a spec's for one input, and with the batch a graph's."""

    name: str
    shape: Shape
    dtype: str = "float32"


class Origin(NamedTuple):
    """Where a network comes from: its ``kind`` is spec, weights, pt2, onnx or module, ``source`` what was named.

    ``ran`` says how a module was run, ``version`` which version of its library wrote it.
    """

    kind: str
    source: str | None = None
    ran: str | None = None
    version: str | None = None


class Network(NamedTuple):
    """A network: its executed layers as rows, and what is known of where they come from.

    ``spec`` is its description, None where nobody has one; ``base`` is what MODEL alone names, before
    anything was changed. Shapes of rows are for one input, of which ``batch`` are asked about; costs of a
    graph are for its inputs as they are given. ``notes`` say what of it is not as usual, ``classes`` has the
    class of a module's path, where it is known; ``module`` the `torch.nn.Module` that was given in MODEL's
    place, and its input.
    """

    name: str
    rows: list[Row]
    inputs: tuple[Input, ...]
    origin: Origin
    spec: zoo.Spec | None = None
    base: zoo.Spec | None = None
    batch: int = 1
    classes: Mapping[str, str] = {}
    notes: tuple[str, ...] = ()
    module: tuple[Any, Any] | None = None

    @property
    def input(self) -> Shape:
        """(channels, height, width) of the first input."""
        return self.inputs[0].shape

    @property
    def size(self) -> str:
        """The input in words: 3×224×224; of several each with its name."""
        words = ["×".join(map(str, each.shape)) or "one number" for each in self.inputs]
        if len(words) == 1:
            return words[0]
        return ", ".join(
            f"{printable(i.name)} {word}" for i, word in zip(self.inputs, words, strict=True)
        )

    @property
    def more(self) -> int:
        """How many times its rows' costs a batch has: a graph's are of the batch already."""
        return self.batch if self.spec else 1

    @property
    def asked(self) -> str:
        """What its costs are for, in words: one input of 3×224×224."""
        if self.spec:
            return f"one input of {self.size}"
        return f"{'an input' if len(self.inputs) == 1 else 'inputs'} of {self.size}"

    @property
    def family(self) -> str:
        """As the list has it; "" where there is no spec."""
        return self.spec.family if self.spec else ""

    @property
    def title(self) -> str:
        """Name and family, and what was changed of it."""
        if self.spec is None or self.base is None:
            return self.name
        changed = fields.differences(self.base, self.spec)
        return f"{self.name} ({', '.join([self.family, *changed])})"

    @property
    def model(self) -> str:
        """MODEL as it may be typed again: what was named, and behind a colon what was changed of it."""
        source, spec, base = self.origin.source or self.name, self.spec, self.base
        if spec is None or base is None or spec == base:
            return source
        if names.library_of(source):  # which takes no changes behind a colon
            source = names.in_library(source).ours
        source, texts = overrides(source)
        changes = {key: getattr(spec, key) for key in vars(spec) if key not in ("name", "family")}
        written = {key: f"{key}={text}" for key, text in texts.items()} | {
            key: fields.inline(key, value)
            for key, value in changes.items()
            if value != getattr(base, key)
        }
        return f"{source}:{','.join(written.values())}"

    @property
    def uncounted(self) -> list[dict[str, Any]]:
        """What could not be counted: operator, times and reason, in the order of execution."""
        times: dict[tuple[str, str], int] = {}
        for row in self.rows:
            if isinstance(row.layer, Uncounted):
                key = (row.layer.operator, row.layer.reason)
                times[key] = times.get(key, 0) + 1
        return [
            {"operator": operator, "times": n, "reason": reason}
            for (operator, reason), n in times.items()
        ]

    def changed(self, **fields: object) -> Network:
        """The same network with other values for some fields of its spec; None leaves one as it is.

        Raises `UserError` for a field that it does not have, or a value that it can't take.
        """
        if self.spec is None:
            raise _nothing_to_change(self)
        made = of_spec(zoo.changed(self.spec, **fields), self.origin)
        return made._replace(base=self.base, batch=self.batch)


def of_spec(spec: zoo.Spec, origin: Origin | None = None) -> Network:
    """The network that a spec describes.

    Raises `UserError` for an input that is too small for it.
    """
    rows = trace(spec.net(), spec.input_shape)
    inputs = (Input("input", spec.input_shape),)
    return Network(spec.name, rows, inputs, origin or Origin("spec", spec.name), spec, spec)


def of_tree(name: str, tree: Sequence, shape: Shape) -> Network:
    """Layers that no spec describes, such as a single block."""
    return Network(name, trace(tree, shape), (Input("input", shape),), Origin("spec"))


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
    source, texts = overrides(model)
    if texts and is_python(source):
        raise _in_parentheses(source, texts)
    network = _of_source(source, given)
    if network.spec:
        network = sized(network, given)
    if not texts:
        return network
    if network.spec is None:
        raise _nothing_to_change(network)
    changed = network.changed(**fields.from_text(texts, network.spec))
    return changed._replace(origin=network.origin._replace(source=model))


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
    before = source(model)
    if names.library_of(before):
        with suppress(UserError):
            return not names.find(before)
        return True
    prefix = model.partition(":")[0].strip().lower()
    objects = bool(re.search(OBJECT, before)) or ":" in model[len(before) + 1 :]
    return objects or before.endswith(".py") or (":" in model and prefix in ("hf", *LIBRARIES))


def _nothing_to_change(network: Network) -> UserError:
    return UserError(f"{network.name} has no spec to change", "change the network itself")


def sized(network: Network, given: Given) -> Network:
    """A spec's network for the input that is given: 8x3x224x224 is a batch of eight.

    Raises `UserError` for any other form of it, and for sizes of a network that has none open.
    """
    if given == NOTHING:
        return network
    _refuse_dims(network.name, given)
    if given.batch is not None:
        network = network._replace(batch=given.batch)
    if not given.inputs:
        return network
    if network.spec is None:
        raise UserError(f"the input of {network.name} is {network.size}", "leave out --input")
    _, shape, dtype = matched(given.inputs, [network.inputs[0].name])["input"]
    if len(shape) != 4 or dtype not in (None, "float32"):
        raise UserError(
            f"{network.name} takes images, not {'×'.join(map(str, shape))} of {dtype or 'float32'}",
            "type batch, channels, height and width: 1x3x224x224",
        )
    limits.within("batch", shape[0], limits.BATCH)
    changed = network.changed(in_channels=shape[1], input_size=shape[2:])
    return changed._replace(batch=shape[0])


def _refuse_dims(name: str, given: Given) -> None:
    if given.dims:
        raise UserError(
            f"{printable(name, 80)} has no open sizes, such as --dim {next(iter(given.dims))} sets",
            "give its input: --input 1x3x224x224",
        )


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


def of_python(model: str, given: Given = NOTHING) -> Network:
    """The network of a library's name, or of an object of somebody's Python, built and run once by torch.

    Raises `UserError` for what does not exist or fit (exit 2), for what its own code raises, and for
    what is not installed (exit 1).
    """
    _need(model)
    _refuse_dims(model, given)
    from resnet_cli.pytorch.doors import ran

    graph, how, version = ran(model, given.inputs, given.batch or 1)
    return of_graph(graph, printable(model, 300), Origin("module", model, how, version))


def _need(model: str) -> None:
    """Raises `UserError` (exit 1) where torch or the library that builds it is missing."""
    from importlib.util import find_spec

    library = "transformers" if model.startswith("hf:") else names.library_of(model)
    for module in ("torch", *([library] if library else [])):
        if find_spec(module) is None:
            hint = f"pip install {module}"
            with suppress(UserError):
                hint += f"; the nearest that needs none is {names.in_library(model).ours}"
            raise UserError(
                f"{printable(model, 80)!r} needs {module}, which is not installed", hint, 1
            )


def of_graph(graph: Graph, name: str, origin: Origin, given: Given = NOTHING) -> Network:
    """The network whose operations a graph holds, for inputs as they are given.

    Raises `UserError` for sizes that are missing or do not fit (exit 2), and where nothing is computed (exit 1).
    """
    from resnet_cli.graphs import bind, structure
    from resnet_cli.graphs import rows as graph_rows
    from resnet_cli.graphs.notes import classes, unusual

    typed = matched(given.inputs, graph.inputs)
    _check_types(graph, typed)
    shapes = {name: each.shape for name, each in typed.items()}
    solved = bind.bound(graph, shapes, given.dims, given.batch or 1)
    if graph.format == "onnx":
        from resnet_cli.graphs.onnx.shapes import inferred

        solved = inferred(solved)
    batch = _batch(solved, given)
    rows = structure.structured(graph_rows.rows(solved))
    if not solved.inputs or not any(row.reads for row in rows):
        raise UserError(f"{name!r} holds no operation on its input", "give a network's graph", 1)
    inputs = [_input(solved, name, batch) for name in solved.inputs]
    needs = [] if origin.ran in (None, "meta") else [f"its code needs numbers: run on {origin.ran}"]
    notes = (*needs, *solved.notes, *unusual(solved, rows, batch))
    rows = _times(rows, batch)
    return Network(name, rows, (*inputs,), origin, None, None, batch, classes(solved), notes)


def _check_types(graph: Graph, typed: dict[str, Typed]) -> None:
    for name, each in typed.items():
        dtype = graph.tensors[name].dtype
        if each.dtype and dtype and each.dtype != dtype:
            raise UserError(
                f"input {printable(name)!r} is of {dtype}, not {each.dtype}", "leave out the type"
            )


def _batch(graph: Graph, given: Given) -> int:
    """How many inputs the costs are of where rows are of one: as many as the graph is of, or as ``given``.

    Raises `UserError` where that is another number, and not all rows lead with the graph's own.
    """
    from resnet_cli.graphs.rows import cut, leads

    own = cut(graph)
    sizes = {(graph.tensors[name].shape or (None,))[0] for name in graph.inputs}
    if given.batch is None or sizes == {given.batch}:
        return own
    if sizes == {own} and leads(graph, own):
        return given.batch
    raise UserError(
        f"a batch of {given.batch:,} given, where the file is of a fixed one",
        "export it with a dynamic batch, or leave out --batch",
    )


def _input(graph: Graph, name: str, batch: int) -> Input:
    tensor = graph.tensors[name]
    sides = tuple(size for size in tensor.shape or () if isinstance(size, int))
    if batch > 1 and sides:
        sides = (batch, *sides[1:])
    return Input(name, sides, tensor.dtype or "float32")


def _times(rows: list[Row], batch: int) -> list[Row]:
    """The rows, which have shapes for one input, of so many; what is the same for all of them is once."""
    if batch == 1:
        return rows
    reached = live(rows)
    return [
        row._replace(times=batch) if runs else row for row, runs in zip(rows, reached, strict=True)
    ]


def distinct(networks: Iterable[Network]) -> list[str]:
    """The networks' names; a name that was there before is numbered: resnet18, resnet18 (2)."""
    taken: list[str] = []
    for network in networks:
        numbered = (f"{network.name} ({number})" for number in count(2))
        every = chain([network.name], numbered)
        taken.append(next(name for name in every if name not in taken))
    return taken


def _recognised(path: str) -> Network:
    """The network of a weight file, called as the file where it is not a listed one."""
    from resnet_cli.checkpoints.container.read import read
    from resnet_cli.checkpoints.identify.recognise import named, recognise

    recognised = recognise(named(read(path).content))
    if recognised.sure == "nearest":
        raise UserError(
            f"{path!r} holds no network that is known here; the nearest differs: {recognised.words[0]}",
            f"see {typed('identify', path)}",
            1,
        )
    spec = recognised.spec
    if not recognised.fits:
        spec = zoo.changed(spec, name=printable(os.path.basename(path), 80))
    return of_spec(spec, Origin("weights", path))
