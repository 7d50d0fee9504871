"""A .pt2 of torch.export -> Graph: JSON in a zip archive. No pickle is opened, no weight is read.

The schema is torch's `torch/_export/serde/schema.py`; 8 is its major version since late 2024.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO, TypeAlias

from resnet_cli.checkpoints.container import zips
from resnet_cli.checkpoints.container.contents import MOST_DIMENSIONS, MOST_ELEMENTS
from resnet_cli.checkpoints.container.faults import bad, excerpt
from resnet_cli.checkpoints.container.json_text import json_object
from resnet_cli.errors import UserError
from resnet_cli.graphs.bodies import MOST_DEPTH
from resnet_cli.graphs.graph import (
    ACTIVATION,
    BUFFER,
    CONSTANT,
    INPUT,
    PARAMETER,
    Dim,
    Dims,
    Graph,
    Module,
    Node,
    Open,
    Range,
    Ref,
    Tensor,
    Value,
    nested,
    ordered,
)
from resnet_cli.graphs.pt2.regions import without_regions
from resnet_cli.graphs.sizes import tidy
from resnet_cli.graphs.sources import line_of

MAJOR, MINOR = 8, 20
MOST_BYTES = 256 << 20
MOST_MARKS = (
    16_000_000  # braces, brackets, commas: what it takes in memory; 20,000 nodes have 4 million
)
WEIGHTS = "/data/weights/model_weights_config.json"
MOST_NESTED = 3  # lists in one argument
MOST_NAME = 10_000
NO_MODULE = "_empty_nn_module_stack_from_metadata_hook"
OLD = "serialized_exported_program.json"  # of torch before 2.8, at the top
SAVE = "save it again with torch.export.save(program, 'net.pt2')"
TYPES = {
    1: "uint8", 2: "int8", 3: "int16", 4: "int32", 5: "int64", 6: "float16", 7: "float32",
    8: "float64", 9: "complex32", 10: "complex64", 11: "complex128", 12: "bool", 13: "bfloat16",
    28: "uint16", 29: "float8_e4m3fn", 30: "float8_e5m2", 31: "float8_e4m3fnuz",
    32: "float8_e5m2fnuz", 33: "float8_e8m0fnu", 34: "uint32", 35: "uint64",
}  # fmt: skip

Json: TypeAlias = Any
Parts: TypeAlias = dict[str, Json]


def read(file: BinaryIO, size: int) -> Graph:
    """The graph of the program of `size` bytes.

    Raises `UserError` (exit 1), a predicate of the file, for another archive or a damaged one.
    """
    entries = zips.entries(file, size)
    program = json_object(_text(file, entries), MOST_MARKS)
    notes = _notes(program)
    module = _of(program, "graph_module", dict)
    names = _Names()
    graph = _graph(_of(module, "graph", dict), names, 0)
    _name_inputs(graph, _of(module, "signature", dict), names)
    _tie(graph, file, entries)
    nodes = ordered(graph.nodes, _before(graph))
    for name in graph.outputs:
        if name not in graph.tensors:
            raise bad(f"gives out {excerpt(name)}, which nothing makes")
    inputs = tuple(name for name in graph.inputs if graph.tensors[name].kind == INPUT)
    outputs = _outputs(graph, _of(module, "signature", dict))
    version = program["schema_version"]
    return without_regions(graph._replace(nodes=nodes))._replace(
        inputs=inputs,
        outputs=outputs,
        format="pt2",
        version=f"schema {version['major']}.{version['minor']}",
        producer=f"torch {names.text(program.get('torch_version', ''))}".rstrip(),
        symbols=dict(_ranges(program.get("range_constraints", {}), names)),
        notes=(*notes,),
    )


def is_program(file: BinaryIO, size: int) -> bool:
    """Whether a zip archive holds a program of torch.export."""
    return bool(_programs(zips.entries(file, size)))


def _programs(entries: Iterable[str]) -> list[str]:
    """The names of the JSON files that are programs."""
    names = list(entries)
    found = [n for n in names if n.count("/") == 2 and n.endswith(".json") and "/models/" in n]
    return found or [n for n in names if n.count("/") <= 1 and n.split("/")[-1] == OLD]


def _text(file: BinaryIO, entries: Mapping[str, zips.Entry]) -> bytes:
    found = _programs(entries)
    if len(found) > 1:
        raise bad(f"holds {len(found)} models, {excerpt(found[0])} the first", SAVE)
    if not found:
        raise bad("is a zip archive without a program of torch.export", SAVE)
    entry = entries[found[0]]
    if not entry.plain:
        raise bad("is a compressed or encrypted archive, which torch does not write", SAVE)
    if entry.size > MOST_BYTES:
        raise bad(f"holds a program of {entry.size:,} bytes, over the limit of {MOST_BYTES:,}")
    try:
        return zips.content(file, entry)
    except UserError:
        raise bad("holds a program that does not fit its size and checksum") from None


def _notes(program: Parts) -> list[str]:
    """What is to be said of the schema's version; raises `UserError` for one that is not read."""
    version = _of(program, "schema_version", dict)
    major, minor = (version.get(key) for key in ("major", "minor"))
    if type(major) is not int or type(minor) is not int or not 0 <= minor < 10**6:
        raise _unlike("schema_version")
    if major != MAJOR:
        raise bad(
            f"is a program of torch.export's schema {excerpt(str(major))}; {MAJOR} is read", SAVE
        )
    if minor > MINOR:
        return [
            f"its schema is {major}.{minor}; known is {MAJOR}.{MINOR}, so some of it may be new"
        ]
    return []


def _unlike(what: str) -> UserError:
    return bad(f"holds JSON unlike torch.export's: {excerpt(what)}", SAVE)


def _of(parts: Parts, key: str, kind: type) -> Json:
    value = parts.get(key) if isinstance(parts, dict) else None
    if not isinstance(value, kind):
        raise _unlike(key)
    return value


class _Names:
    """Texts and sizes, each distinct one checked and made once."""

    def __init__(self) -> None:
        self.checked: set[str] = set()
        self.sizes: dict[str, int | str] = {}
        self.modules: dict[str, tuple[Module, ...]] = {}
        self.sources: dict[str, str] = {}

    def text(self, text: Json) -> str:
        """A name; raises `UserError` for what is none."""
        if type(text) is not str:
            raise _unlike("a name that is no text")
        if text not in self.checked:
            if len(text) > MOST_NAME or not text.isprintable():
                raise bad(f"has a name that is too long or unprintable: {excerpt(text)}")
            self.checked.add(text)
        return text

    def size(self, text: str) -> int | str:
        if text not in self.sizes:
            self.sizes[text] = tidy(self.text(text))
        return self.sizes[text]

    def stack(self, text: Json) -> tuple[Module, ...]:
        """The modules of `key,path,class;…`, the network itself (of no path) left out."""
        if type(text) is not str:
            return ()
        if text not in self.modules:
            modules = (self.module(entry) for entry in text.split(";"))
            self.modules[text] = nested(module for module in modules if module.path)
        return self.modules[text]

    def module(self, entry: str) -> Module:
        """`key,path,class`; a key ends in @1 where the module was called once before."""
        places, _, kind = entry.rpartition(",")
        key, _, path = places.partition(",")
        call = key.rpartition("@")[2] if "@" in key else ""
        if path == NO_MODULE:
            path = ""
        calls = int(call) if call.isascii() and call.isdecimal() and len(call) < 10 else 0
        return Module(self.text(path), self.text(kind), calls)

    def source(self, trace: Json) -> str:
        if type(trace) is not str:
            return ""
        if trace not in self.sources:
            self.sources[trace] = line_of(trace)
        return self.sources[trace]


class _Scope:
    """One graph's tensors, and the integers that it computes sizes with."""

    def __init__(self, graph: Parts, names: _Names, depth: int) -> None:
        self.names, self.depth = names, depth
        self.integers = {
            names.text(name): _size(value, names)
            for name, value in _of(graph, "sym_int_values", dict).items()
        }
        self.tensors = {
            names.text(name): _tensor(name, meta, names)
            for name, meta in _of(graph, "tensor_values", dict).items()
        }

    def named(self, argument: Json) -> str:
        """A tensor's name."""
        name = argument.get("name") if isinstance(argument, dict) else None
        if type(name) is not str or name not in self.tensors:
            raise bad(f"names a tensor {excerpt(str(name))} that it does not describe")
        return name

    def value(self, argument: Json) -> Value:
        """An argument: tensors as `Ref`, computed sizes as expressions, a body as `Graph`."""
        if not isinstance(argument, dict) or len(argument) != 1:
            raise _unlike("an argument")
        ((kind, value),) = argument.items()
        if kind == "as_none":
            return None
        if kind == "as_tensor":
            return Ref(self.named(value))
        if kind in ("as_tensors", "as_optional_tensors"):
            return tuple(self.reference(part) for part in _list(value))
        if kind == "as_nested_tensors":
            return tuple(tuple(map(self.reference, _list(part))) for part in _list(value))
        if kind == "as_optional_tensor":
            return self.reference(value)
        if kind in ("as_sym_int", "as_sym_float", "as_sym_bool"):
            return self.symbolic(value)
        if kind in ("as_sym_ints", "as_sym_floats", "as_sym_bools"):
            return tuple(map(self.symbolic, _list(value)))
        if kind == "as_graph":
            if self.depth >= MOST_DEPTH:
                raise bad(f"has graphs in one another more than {MOST_DEPTH} deep")
            return _graph(_of(value, "graph", dict), self.names, self.depth + 1)._replace(
                name=self.names.text(value.get("name"))
            )
        if kind == "as_scalar_type":
            return _dtype(value)
        if kind in ("as_device", "as_custom_obj", "as_complex", "as_string_to_argument"):
            return str(kind).removeprefix("as_")
        return self.plain(value, 0)

    def reference(self, argument: Json) -> Value:
        """A tensor in a list, or none: plain or as one of a union."""
        if isinstance(argument, dict) and "as_none" in argument:
            return None
        if isinstance(argument, dict) and "as_tensor" in argument:
            argument = argument["as_tensor"]
        return Ref(self.named(argument))

    def symbolic(self, argument: Json) -> Value:
        if isinstance(argument, dict) and "as_name" in argument:
            name = self.names.text(argument["as_name"])
            size = self.integers.get(name, name)
            return Open(size) if isinstance(size, str) else size
        if isinstance(argument, dict) and len(argument) == 1:
            return self.plain(next(iter(argument.values())), 0)
        raise _unlike("a size")

    def plain(self, value: object, depth: int) -> Value:
        """A number or text, or a list of such."""
        if isinstance(value, list):
            if depth < MOST_NESTED:
                return tuple(self.plain(part, depth + 1) for part in value)
        elif isinstance(value, str):
            return value if value.isprintable() else ascii(value)[1:-1]
        elif isinstance(value, int):
            if abs(value) <= MOST_ELEMENTS + 1:
                return value
        elif value is None or isinstance(value, float):
            return value
        raise _unlike("an argument")


def _list(value: Json) -> list[Json]:
    if not isinstance(value, list):
        raise _unlike("an argument that is no list")
    return value


def _graph(graph: Parts, names: _Names, depth: int) -> Graph:
    scope = _Scope(graph, names, depth)
    inputs = [_inputs_of(scope.value(argument)) for argument in _of(graph, "inputs", list)]
    outputs = [_inputs_of(scope.value(argument)) for argument in _of(graph, "outputs", list)]
    nodes = [_node(node, scope) for node in _of(graph, "nodes", list)]
    return Graph(
        nodes,
        scope.tensors,
        tuple(name for part in inputs for name in part),
        tuple(name for part in outputs for name in part),
    )


def _node(node: Parts, scope: _Scope) -> Node:
    names = scope.names
    target = names.text(_of(node, "target", str))
    attributes: dict[str, Value] = {}
    for argument in _of(node, "inputs", list):
        name = names.text(_of(argument, "name", str))
        key = name if name and name not in attributes else f"{name or 'input'}.{len(attributes)}"
        attributes[key] = scope.value(argument.get("arg"))
    inputs = [name for value in attributes.values() for name in _inputs_of(value)]
    outputs = [
        name
        for value in _of(node, "outputs", list)
        for name in _inputs_of(scope.value(value), True)
    ]
    metadata = node.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    domain, _, operator = target.removeprefix("torch.ops.").rpartition(".")
    if target.startswith("torch.ops."):  # aten.conv2d.default
        domain, _, operator = target.removeprefix("torch.ops.").partition(".")
    given = node.get("name")
    return Node(
        names.text(given) if given else next(filter(None, outputs), ""),
        operator,
        (*inputs,),
        (*outputs,),
        attributes,
        domain,
        names.stack(metadata.get("nn_module_stack")),
        names.source(metadata.get("stack_trace")),
    )


def _inputs_of(value: Value, places: bool = False) -> Iterator[str] | list[str]:
    """The tensors in an argument; of outputs also the places of those that nobody uses."""
    if type(value) is Ref:
        return [value.name]
    if type(value) is tuple:
        return [name for part in value for name in _inputs_of(part, places)]
    return [""] if places and value is None else []


def _tensor(name: str, meta: Json, names: _Names) -> Tensor:
    sizes = _of(meta, "sizes", list)
    if len(sizes) > MOST_DIMENSIONS:
        raise bad(f"has a tensor of more than {MOST_DIMENSIONS} dimensions")
    shape: Dims = tuple(_size(size, names) for size in sizes)
    strides: Dims = tuple(_size(stride, names) for stride in _list(meta.get("strides", [])))
    laid = strides if len(strides) == len(shape) else None
    return Tensor(name, ACTIVATION, shape, _dtype(meta.get("dtype")), strides=laid)


def _dtype(code: Json) -> str:
    """torch's name for an element type."""
    known = TYPES.get(code) if type(code) is int else None
    return known or f"type {excerpt(str(code))}"


def _size(size: Json, names: _Names) -> Dim:
    if isinstance(size, dict):
        number, expression = size.get("as_int"), size.get("as_expr")
        if type(number) is int and 0 <= number <= MOST_ELEMENTS:
            return number
        if type(number) is int and abs(number) <= MOST_ELEMENTS:
            return number  # an integer that is computed with, no side
        if isinstance(expression, dict):
            return names.size(_of(expression, "expr_str", str))
    raise _unlike("a size")


MUTATIONS = ("buffer_mutation", "parameter_mutation", "user_input_mutation")
KINDS = (  # of input_specs: the kind of tensor, the key of its path
    ("parameter", PARAMETER, "parameter_name"),
    ("buffer", BUFFER, "buffer_name"),
    ("tensor_constant", CONSTANT, "tensor_constant_name"),
)


def _name_inputs(graph: Graph, signature: Parts, names: _Names) -> None:
    """Kind and path of each input, by the program's signature."""
    tensors = graph.tensors
    for spec in _of(signature, "input_specs", list):
        if isinstance(spec, dict) and isinstance(spec.get("user_input"), dict):
            argument = spec["user_input"].get("arg")
            named = argument.get("as_tensor") if isinstance(argument, dict) else None
            name = named.get("name") if isinstance(named, dict) else None
            if isinstance(name, str) and name in tensors:
                tensors[name] = tensors[name]._replace(kind=INPUT)
        for key, kind, path in KINDS:
            if isinstance(spec, dict) and key in spec:
                name = _of(_of(spec[key], "arg", dict), "name", str)
                if name not in tensors:
                    raise bad(f"names a tensor {excerpt(name)} that it does not describe")
                label = names.text(_of(spec[key], path, str))
                tensors[name] = tensors[name]._replace(kind=kind, path=label)


def _tie(graph: Graph, file: BinaryIO, entries: Mapping[str, zips.Entry]) -> None:
    """Parameters whose numbers lie in one place of the archive are one, by its first name.

    Where there are as many files of numbers as tensors, none is, and where nothing is stored nobody knows.
    """
    stored = {
        name: entry.size for name, entry in entries.items() if "/data/weights/weight_" in name
    }
    held = [name for name, t in graph.tensors.items() if t.kind in (PARAMETER, BUFFER)]
    config = next((name for name in entries if name.endswith(WEIGHTS)), None)
    if config is None or len(stored) >= len(held) or not entries[config].plain:
        return
    if entries[config].size > MOST_BYTES:
        raise bad(f"lists its weights in {entries[config].size:,} bytes, which is too large")
    listed = _of(json_object(zips.content(file, entries[config]), MOST_MARKS), "config", dict)
    folder = config.rpartition("/")[0] + "/"
    first: dict[str, str] = {}
    for name in held:
        tensor, entry = graph.tensors[name], listed.get(graph.tensors[name].path)
        if tensor.kind == PARAMETER and isinstance(entry, dict):
            place = entry.get("path_name")
            if stored.get(f"{folder}{place}"):
                meta = entry.get("tensor_meta")
                parts = meta if isinstance(meta, dict) else {}
                key = str([place, *(parts.get(k) for k in ("storage_offset", "sizes", "strides"))])
                graph.tensors[name] = graph.tensors[first.setdefault(key, name)]


def _outputs(graph: Graph, signature: Parts) -> tuple[str, ...]:
    """The outputs that are the caller's: others are buffers that a run changes."""
    specs = _of(signature, "output_specs", list)
    changed = set()
    for spec in specs:
        for key in MUTATIONS:
            if isinstance(spec, dict) and key in spec:
                changed.add(str(_of(_of(spec[key], "arg", dict), "name", str)))
    return tuple(name for name in graph.outputs if name not in changed)


def _before(graph: Graph) -> list[str]:
    """The tensors that are there before any operation runs."""
    return list(dict.fromkeys(graph.inputs))


def _ranges(constraints: Json, names: _Names) -> Iterator[tuple[str, Range]]:
    if not isinstance(constraints, dict):
        raise _unlike("range_constraints")
    for name, limits in constraints.items():
        least, most = (
            limits.get(f"{end}_val") if isinstance(limits, dict) else None for end in ("min", "max")
        )
        if (
            type(least) is not int or least <= 2
        ):  # torch writes 2 for "not special", and does not hold to it
            least = 1
        yield names.text(name), Range(least, most if type(most) is int else None)
