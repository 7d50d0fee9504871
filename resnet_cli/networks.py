"""Network: what every question is asked of; made of a spec, of layers, of a graph."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain, count
from typing import TYPE_CHECKING, Any, NamedTuple

from resnet_cli.designs import fields, limits, names, zoo
from resnet_cli.errors import UserError, printable
from resnet_cli.inputs import Given, Typed, matched
from resnet_cli.layers.arithmetic import Shape
from resnet_cli.layers.tree import Sequence
from resnet_cli.layers.uncounted import Uncounted
from resnet_cli.trace import Row, live, trace

if TYPE_CHECKING:
    from resnet_cli.graphs.graph import Graph

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
    place, and its input. ``open`` are the networks, as MODEL is typed, that a weight file may be, the taken one first, where nothing settles which.
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
    open: tuple[str, ...] = ()

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
        source, texts = fields.overrides(source)
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
            raise nothing_to_change(self)
        made = of_spec(zoo.changed(self.spec, **fields), self.origin)
        return made._replace(base=self.base, batch=self.batch, notes=self.notes, open=self.open)


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


def nothing_to_change(network: Network) -> UserError:
    """The error for changes of a network that no spec describes."""
    return UserError(f"{network.name} has no spec to change", "change the network itself")


def sized(network: Network, given: Given) -> Network:
    """A spec's network for the input that is given: 8x3x224x224 is a batch of eight.

    Raises `UserError` for any other form of it, and for sizes of a network that has none open.
    """
    if given == NOTHING:
        return network
    refuse_dims(network.name, given)
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


def refuse_dims(name: str, given: Given) -> None:
    """Raises `UserError` for open sizes of what has none."""
    if given.dims:
        raise UserError(
            f"{printable(name, 80)} has no open sizes, such as --dim {next(iter(given.dims))} sets",
            "give its input: --input 1x3x224x224",
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
