"""An .onnx file -> Graph (IR 3 on). Nothing of ONNX is imported, no weight is read, no body is run."""

from __future__ import annotations

import mmap
from collections.abc import Iterable
from math import prod
from typing import BinaryIO

from resnet_cli.checkpoints.container.contents import MOST_DIMENSIONS, MOST_ELEMENTS
from resnet_cli.checkpoints.container.faults import AGAIN, bad, excerpt
from resnet_cli.graphs.bodies import MOST_DEPTH, MOST_NODES
from resnet_cli.graphs.graph import (
    ACTIVATION,
    CONSTANT,
    INPUT,
    Graph,
    Module,
    Node,
    Range,
    Tensor,
    Unread,
    Value,
    ordered,
)
from resnet_cli.graphs.onnx import nesting, tensors
from resnet_cli.graphs.onnx.functions import Formal, Function, expanded
from resnet_cli.graphs.onnx.kinds import with_kinds
from resnet_cli.graphs.onnx.wire import Span, Wire, signed
from resnet_cli.graphs.sizes import names
from resnet_cli.graphs.sources import line_of

OLDEST_IR = 3
OPSETS = range(7, 26)  # versions of the operators that shapes are told for
MOST_OUTLINE = 10_000  # fields of a model at the top; functions and metadata are many
MOST_PARTS = 100_000  # numbers or texts of one attribute
MOST_STRING = 4096  # bytes of one
MOST_ALIKE = 64  # bytes of an attribute that others may have, too
STANDARD = ("", "ai.onnx")
NEUTRAL: dict[int, Value] = {1: 0.0, 2: 0, 3: ""}
MOST_PACKED = 400_000  # bytes of one list of numbers
NO_MODEL = "is no ONNX model"


def read(file: BinaryIO, size: int, folder: str) -> Graph:
    """The graph of the model of `size` bytes; `folder` is where files of further weights may lie.

    Raises `UserError` (exit 1), a predicate of the file, for one that is no model or a damaged one.
    """
    with mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) as mapped:
        return _Reader(Wire(mapped), folder).model((0, size))


def is_model(file: BinaryIO, size: int) -> bool:
    """Whether a file has the outline of a model: a version and a graph. Raises `UserError` where it has none."""
    with mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) as mapped:
        wire = Wire(mapped)
        wire.left = MOST_OUTLINE
        return {1, 7} <= {number for number, _, _ in wire.fields(0, size)}


def read_bytes(data: bytes) -> Graph:
    """The graph of a model in memory, which has no folder for further weights."""
    return _Reader(Wire(data), "").model((0, len(data)))


class _Reader:
    """One reading: what is met on the way, in any of the file's graphs."""

    def __init__(self, wire: Wire, folder: str) -> None:
        self.wire, self.folder = wire, folder
        self.nodes = 0
        self.hollow = 0  # tensors without numbers
        self.outside: dict[str, int] = {}  # location -> bytes needed
        self.names_are_paths = False
        self.sources: dict[str, str] = {}
        self.attributes: dict[bytes, tuple[str, Value]] = {}  # by their bytes
        self.ir = 0

    def model(self, span: Span) -> Graph:
        graph: Span | None = None
        producer = ["", ""]
        opsets: dict[str, int] = {}
        functions: list[Span] = []
        training = 0
        for number, start, end in self.wire.fields(*span):
            if number == 1 and end < 0:
                self.ir = start
            elif number in (2, 3):
                producer[number - 2] = self.wire.text(start, end)
            elif number == 7 and end >= 0:
                graph = (start, end)
            elif number == 8:
                domain, version = self.opset((start, end))
                opsets[domain] = version
            elif number == 20:
                training += 1
            elif number == 25:
                functions.append((start, end))
        if graph is None or not self.ir:
            raise bad(NO_MODEL, "give a file that an ONNX exporter wrote")
        if self.ir < OLDEST_IR:
            raise bad(
                f"is an ONNX model of IR {self.ir}, of before December 2017",
                "convert it with onnx.version_converter; IR 3 and later are read",
            )
        self.names_are_paths = producer[0] == "pytorch"
        whole = self.graph(graph, 0)
        if functions:
            whole = expanded(whole, dict(map(self.function, functions)))
        whole = with_kinds(whole)
        return whole._replace(
            format="onnx",
            version=f"IR {self.ir}",
            producer=" ".join(filter(None, producer)),
            opsets=opsets,
            symbols=_symbols(whole),
            notes=tuple(self.notes(opsets.get(""), training)),
        )

    def opset(self, span: Span) -> tuple[str, int]:
        domain, version = "", 0
        for number, start, end in self.wire.fields(*span):
            if number == 1:
                domain = self.wire.text(start, end)
            elif number == 2 and end < 0:
                version = start
        return "" if domain in STANDARD else domain, version

    def function(self, span: Span) -> tuple[tuple[str, str], Function]:
        """A function, by its domain and name."""
        domain = label = ""
        inputs, outputs = [], []
        nodes: list[Span] = []
        defaults: dict[str, Value] = {}
        for number, start, end in self.wire.fields(*span):
            if number == 1:
                label = self.wire.text(start, end)
            elif number == 4:
                inputs.append(self.wire.text(start, end))
            elif number == 5:
                outputs.append(self.wire.text(start, end))
            elif number == 7 and end >= 0:
                nodes.append((start, end))
            elif number == 10:
                domain = self.wire.text(start, end)
            elif number == 11:
                key, value = self.attribute((start, end), 0)
                defaults[key] = value
        body = ordered(self.all_nodes(nodes, 0), inputs)
        by_name: dict[str, Tensor] = {}
        _fill(by_name, body, {})
        domain = "" if domain in STANDARD else domain
        return (domain, label), Function((*inputs,), (*outputs,), body, by_name, defaults)

    def notes(self, opset: int | None, training: int) -> Iterable[str]:
        """What is to be said of the file beside its graph."""
        if opset not in OPSETS:
            first, last = OPSETS[0], OPSETS[-1]
            yield f"its operators are of version {opset or 'unknown'}; {first} to {last} are known"
        yield from tensors.check_outside(self.outside, self.folder)
        if self.hollow:
            yield f"{self.hollow} of its tensors have no numbers, only a shape"
        if training:
            yield "its training graphs are not read"

    def graph(self, span: Span, depth: int) -> Graph:
        if depth > MOST_DEPTH:
            raise bad(f"has graphs in one another more than {MOST_DEPTH} deep")
        spans: dict[int, list[Span]] = {number: [] for number in (1, 5, 11, 12, 13, 15)}
        label = ""
        for number, start, end in self.wire.fields(*span):
            if number in spans:
                if end < 0:
                    raise bad(NO_MODEL)
                spans[number].append((start, end))
                if len(spans[number]) > MOST_NODES:
                    raise bad(f"has more than {MOST_NODES:,} operations or tensors")
            elif number == 2:
                label = self.wire.long_text(start, end)
        by_name: dict[str, Tensor] = {}
        for at in spans[5]:
            _add(by_name, self.constant(at))
        for at in spans[15]:
            _add(by_name, self.sparse(at))
        inputs = []
        for at in spans[11]:
            given = self.described(at, INPUT)
            if given.name not in by_name:  # else an initialiser, which IR 3 lists here, too
                _add(by_name, given)
                inputs.append(given.name)
        nodes = self.all_nodes(spans[1], depth)
        shown = [self.described(at, ACTIVATION) for at in (*spans[13], *spans[12])]
        outputs = tuple(tensor.name for tensor in shown[len(spans[13]) :])
        if depth == 0:
            nodes = ordered(nodes, by_name)
        _fill(by_name, nodes, {tensor.name: tensor for tensor in shown})
        if depth == 0:
            for name in outputs:
                if name not in by_name:
                    raise bad(f"gives out {excerpt(name)}, which nothing makes")
        label = label if label.isprintable() else ""
        return Graph(nodes, by_name, tuple(inputs), outputs, label)

    def constant(self, span: Span) -> Tensor:
        """A tensor of the file; where its numbers lie is kept in mind."""
        tensor, outside, full = tensors.tensor(self.wire, span)
        if outside:
            end = outside.offset + outside.length
            self.outside[outside.location] = max(end, self.outside.get(outside.location, 0))
        self.hollow += not full
        return tensor

    def sparse(self, span: Span) -> Tensor:
        """A sparse tensor by its full shape."""
        values: Tensor | None = None
        dims: list[int] = []
        for number, start, end in self.wire.fields(*span):
            if number == 1:
                values = self.constant((start, end))
            elif number == 3:
                dims += [signed(start)] if end < 0 else self.wire.numbers(start, end)
        if values is None or len(dims) > MOST_DIMENSIONS or any(size < 0 for size in dims):
            raise bad("has a sparse tensor without values or shape")
        return values._replace(shape=tuple(dims), value=None)

    def described(self, span: Span, kind: str) -> Tensor:
        """A graph's input or output, or what the file says of a tensor inside."""
        label, shape, dtype, other = tensors.value_info(self.wire, span)
        return Tensor(label, kind, shape, dtype, why=f"is a {other}" if other else "")

    def all_nodes(self, spans: list[Span], depth: int) -> list[Node]:
        self.nodes += len(spans)
        if self.nodes > MOST_NODES:
            raise bad(f"has more than {MOST_NODES:,} operations")
        return [self.node(span, depth) for span in spans]

    def node(self, span: Span, depth: int) -> Node:
        wire = self.wire
        inputs: list[str] = []
        outputs: list[str] = []
        attributes: dict[str, Value] = {}
        label = operator = domain = ""
        props: dict[str, str] = {}
        for number, start, end in wire.fields(*span):
            if number == 1:
                inputs.append(wire.text(start, end))
            elif number == 2:
                outputs.append(wire.text(start, end))
            elif number == 5:
                key, value = self.attribute((start, end), depth)
                attributes[key] = value
            elif number == 3:
                label = wire.text(start, end)
            elif number == 4:
                operator = wire.text(start, end)
            elif number == 7:
                domain = wire.text(start, end)
            elif number == 9:
                if nesting.is_other(wire.data[start : start + nesting.LONGEST]):
                    continue  # most are, and texts of some length
                key, text = tensors.entry(wire, (start, end))
                if key in nesting.METADATA:
                    props[key] = text
        if not operator:
            raise bad("has an operation without an operator")
        modules: tuple[Module, ...] = ()
        if props:
            modules = nesting.from_metadata(props)
        elif self.names_are_paths and label.startswith("/"):
            modules = nesting.from_name(label)
        domain = "" if domain in STANDARD else domain
        source = self.source(props[nesting.TRACE]) if nesting.TRACE in props else ""
        return Node(label, operator, (*inputs,), (*outputs,), attributes, domain, modules, source)

    def source(self, trace: str) -> str:
        """FILE:LINE of a stack trace, which many operations have in common."""
        if trace not in self.sources:
            self.sources[trace] = line_of(trace)
        return self.sources[trace]

    def attribute(self, span: Span, depth: int) -> tuple[str, Value]:
        """Name and value; one that many operations have is read once."""
        start, end = span
        text = self.wire.data[start:end] if 0 <= end - start <= MOST_ALIKE else b""
        if text in self.attributes:
            return self.attributes[text]
        key, value = self.new_attribute(span, depth)
        parts = value if type(value) is tuple else (value,)
        if text and not any(isinstance(part, tuple) for part in parts):  # no tensor, no graph
            self.attributes[text] = key, value
        return key, value

    def new_attribute(self, span: Span, depth: int) -> tuple[str, Value]:
        """Name and value; of what no size or cost depends on, only how much it is."""
        wire = self.wire
        key = ""
        kind = 0
        one: Value = None
        many: list[Value] = []
        listed = False
        parts = 0
        for number, start, end in wire.fields(*span):
            if number == 1:
                key = wire.text(start, end)
            elif number == 20 and end < 0:
                kind = start
            elif number == 3 and end < 0:
                one = signed(start)
            elif number == 2:
                one = wire.floats(start, end)[0] if end - start == 4 else None
            elif number == 4:
                one = self.string((start, end))
            elif number == 5:
                one = self.constant((start, end))
            elif number == 6:
                one = self.graph((start, end), depth + 1)
            elif number == 21:
                one = Formal(wire.text(start, end))
            elif number == 22:
                one = self.sparse((start, end))
            elif number in (7, 8, 9, 10, 11):
                listed = True
                parts += 1
                if number in (7, 8) and end - start > MOST_PACKED:
                    parts += end - start
                if parts > MOST_PARTS:
                    continue
                if number == 7:
                    many += wire.floats(start, end) if end >= 0 else ()
                elif number == 8:
                    many += [signed(start)] if end < 0 else wire.numbers(start, end)
                elif number == 9:
                    many.append(self.string((start, end)))
                elif number == 10:
                    many.append(self.constant((start, end)))
                else:
                    many.append(self.graph((start, end), depth + 1))
                parts = max(parts, len(many))
        if parts > MOST_PARTS:
            return key, Unread("list", parts)
        if listed or kind in (6, 7, 8, 9, 10):
            return key, tuple(many)
        if one is None:  # nothing but a kind: its neutral value was not written
            one = NEUTRAL.get(kind)
        return key, one

    def string(self, span: Span) -> str | Unread:
        """A text; what is long or not printable is data that operators of others keep here."""
        start, end = span
        if end - start > MOST_STRING:
            return Unread("bytes", end - start)
        text = self.wire.long_text(start, end)
        return text if text.isprintable() else Unread("bytes", end - start)


def _add(by_name: dict[str, Tensor], tensor: Tensor) -> None:
    if tensor.name in by_name:
        raise bad(f"has {excerpt(tensor.name)} twice", AGAIN)
    by_name[tensor.name] = tensor


def _fill(by_name: dict[str, Tensor], nodes: list[Node], shown: dict[str, Tensor]) -> None:
    """Every output of an operation as a tensor: of a Constant with its numbers, else as the file shows it."""
    for node in nodes:
        constant = _constant(node, by_name)
        for name in filter(None, node.outputs):
            if constant:
                by_name[name] = constant._replace(name=name)
            else:
                by_name[name] = shown.get(name) or Tensor(name, ACTIVATION)
    for name, tensor in by_name.items():
        said = shown.get(name)
        if said and tensor.shape is None and tensor.kind != CONSTANT:
            by_name[name] = tensor._replace(shape=said.shape, dtype=said.dtype)


def _constant(node: Node, known: dict[str, Tensor]) -> Tensor | None:
    """What a Constant gives out, or a ConstantOfShape whose shape stands in the file."""
    if node.domain:
        return None
    if node.operator == "ConstantOfShape" and node.inputs:
        return _filled(known.get(node.inputs[0]), node.attributes.get("value"))
    return _written(node) if node.operator == "Constant" else None


def _filled(size: Tensor | None, filling: Value) -> Tensor | None:
    """One number in a shape that is a constant of the file."""
    if size is None or size.kind != CONSTANT or size.value is None:
        return None
    shape = tuple(side for side in size.value if isinstance(side, int) and side >= 0)
    if len(shape) < len(size.value) or len(shape) > MOST_DIMENSIONS or prod(shape) > MOST_ELEMENTS:
        return None
    given = (
        filling if isinstance(filling, Tensor) else Tensor("", CONSTANT, (1,), "float32", (0.0,))
    )
    number = (given.value or ())[:1]
    small = number and prod(shape) <= tensors.MOST_FLOATS
    return Tensor("", CONSTANT, shape, given.dtype, number * prod(shape) if small else None)


def _written(node: Node) -> Tensor | None:
    """What a Constant gives out, in whichever attribute it has it."""
    for key, value in node.attributes.items():
        if isinstance(value, Tensor):
            return value
        for ending, dtype in (("int", "int64"), ("float", "float32")):
            if key == f"value_{ending}" and isinstance(value, int | float):
                return Tensor("", CONSTANT, (), dtype, (value,))
            if key == f"value_{ending}s" and isinstance(value, tuple):
                numbers = tuple(part for part in value if isinstance(part, int | float))
                kept = numbers if len(numbers) <= tensors.MOST_VALUES else None
                return Tensor("", CONSTANT, (len(numbers),), dtype, kept)
        if key == "value_string":
            return Tensor("", CONSTANT, (), "string")
        if key == "value_strings" and isinstance(value, tuple):
            return Tensor("", CONSTANT, (len(value),), "string")
    return None


def _symbols(graph: Graph) -> dict[str, Range]:
    """The names that sizes of inputs are written with."""
    found: dict[str, Range] = {}
    for name in graph.inputs:
        for size in graph.tensors[name].shape or ():
            if isinstance(size, str):
                found.update(dict.fromkeys(names(size), Range(1)))
    return found
