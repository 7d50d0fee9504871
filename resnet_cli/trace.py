"""The one walk: a tree of layers and an input shape become a row for each executed layer.

Every number of this project is a sum, a group or a small dynamic program over these rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate
from typing import NamedTuple

from resnet_cli.errors import UserError
from resnet_cli.layers.arithmetic import Shape
from resnet_cli.layers.base import Layer
from resnet_cli.layers.elementwise import Elementwise
from resnet_cli.layers.moves import Joined, Part
from resnet_cli.layers.shaping import Copy, View
from resnet_cli.layers.tree import Node, Parallel, Residual, Sequence, Stage

INPUT = -1
"""What a row reads that reads the network's input; of several the second is one less, and so on."""


class Block(NamedTuple):
    """A residual or plain block: the paper's label (conv3_1) and torch's path (layer2.0)."""

    label: str
    path: str


class Place(NamedTuple):
    """Where a row stands.

    ``inside`` are the paths of the modules around it, the outermost first. ``stage`` is the paper's
    (conv3_x) and ``part`` of the network (stem, body or head) the one that it belongs to; ``block``
    is None outside of blocks. ``role`` is "main" for the layers that a paper counts, "branch" for those
    side by side with them, "shortcut" and "gate" for those beside.
    """

    inside: tuple[str, ...]
    stage: str
    part: str
    block: Block | None
    role: str


class Row(NamedTuple):
    """One executed layer.

    ``path`` is torch's dotted name. ``reads`` holds the places in the list of the rows whose outputs
    it takes, `INPUT` and below for the network's inputs; shapes are for one input. ``shared`` names those of its tensors that an earlier row has
    already, as the same module was called before. Costs are ``times`` those of the shapes: of a batch that
    a graph was given, whose rows have shapes without it.
    """

    path: str
    place: Place
    layer: Layer
    reads: tuple[int, ...]
    inputs: tuple[Shape, ...]
    output: Shape
    shared: tuple[str, ...] = ()
    times: int = 1

    @property
    def inside(self) -> tuple[str, ...]:
        """The paths of the modules around it, the outermost first."""
        return self.place.inside

    @property
    def stage(self) -> str:
        """The paper's name of its stage: conv3_x."""
        return self.place.stage

    @property
    def part(self) -> str:
        """The part of the network: stem, body or head."""
        return self.place.part

    @property
    def block(self) -> Block | None:
        """Its block; None outside of blocks."""
        return self.place.block

    @property
    def label(self) -> str:
        """The paper's name of its block, or of its stage outside of blocks."""
        _, stage, _, block, _ = self.place
        return block.label if block else stage

    @property
    def role(self) -> str:
        """ "main" for the layers that a paper counts; "branch", "shortcut" and "gate" for those beside."""
        return self.place.role

    @property
    def input(self) -> Shape:
        """The shape of the first tensor that it reads; of one that reads none, its own."""
        return self.inputs[0] if self.inputs else self.output

    @property
    def macs(self) -> int:
        """Multiply-accumulates."""
        return self.times * self.layer.macs(self.inputs, self.output)


def trace(net: Sequence, shape: Shape) -> list[Row]:
    """Every layer in the order of execution, which is also the order of the state dict.

    Raises `UserError` when the input is too small to reach the end, or a shortcut's shape is another than its body's.
    """
    rows: list[Row] = []
    paths: set[str] = set()

    def run(
        layer: Layer, path: str, at: Place, reads: tuple[int, ...], x: tuple[Shape, ...]
    ) -> int:
        y = layer.output_shape(*x)
        if min(y) < 1:
            raise UserError(
                f"an input of {shape[1]}×{shape[2]} is too small: {at.stage} would have no pixel left",
                "give a larger --input-size",
            )
        shared = (*layer.tensors(),) if path in paths else ()
        paths.add(path)
        rows.append(tuple.__new__(Row, (path, at, layer, reads, x, y, shared, 1)))  # Row(…), faster
        return len(rows) - 1

    def walk(parts: tuple[Node, ...], prefix: str, at: Place, last: int) -> int:
        for node in parts:
            if isinstance(node, Layer):
                x = rows[last].output if last >= 0 else shape
                last = run(node, prefix + node.name, at, (last,), (x,))
            elif isinstance(node, Stage):
                inner = at._replace(stage=node.label, part=node.part)
                last = walk(node.parts, prefix, inner, last)
            else:
                path = prefix + node.name
                inner = entered(at, path, node.label)
                if isinstance(node, Residual):
                    last = residual(node, path, inner, last)
                elif isinstance(node, Parallel):
                    last = parallel(node, path, inner, last)
                else:
                    last = walk(node.parts, path + ".", inner, last)
        return last

    def residual(node: Residual, path: str, at: Place, last: int) -> int:
        prefix, merge = path + ".", node.merge
        start = walk(node.before, prefix, at, last)
        gated = at._replace(role="gate") if merge.gate else at
        body = walk(node.body, prefix, gated, start)
        side = start
        if node.shortcut:
            side = walk(node.shortcut, prefix, at._replace(role="shortcut"), start)
        named = prefix + merge.name if merge.is_module else path
        x = rows[side].output if side >= 0 else shape
        if merge.join and x != rows[body].output:
            (_, *ours), (_, *theirs) = x, rows[body].output
            raise UserError(
                f"{path}: its shortcut puts out {'×'.join(map(str, ours))} places, its body "
                f"{'×'.join(map(str, theirs))}",
                "give an --input-size that is a multiple of 32",
            )
        merged = run(merge, named, at, (side, body), (x, rows[body].output))
        return walk(node.after, prefix, at, merged)

    def parallel(node: Parallel, path: str, at: Place, last: int) -> int:
        channels, *sides = x = rows[last].output if last >= 0 else shape
        starts = [last] * len(node.branches)
        if node.split:
            own = (channels // node.split, *sides)
            starts = [
                run(View("split", "split", own, Part(0, own[0] * of)), path, at, (last,), (x,))
                for of in range(node.split)
            ]
        ends = list(starts)
        for of, branch in enumerate(node.branches):
            if node.chain and of:
                both = (starts[of], ends[of - 1])
                own = rows[starts[of]].output
                starts[of] = run(Elementwise("add", "addition", own), path, at, both, (own, own))
            inside = f"{path}.{branch.name}"
            beside = at._replace(role="branch") if of and at.role == "main" else at
            there = entered(beside, inside, branch.label)
            ends[of] = walk(branch.parts, f"{inside}.", there, starts[of])
        met = tuple(rows[end].output for end in ends)
        joined = (sum(each[0] for each in met), *met[0][1:])
        return run(Copy("cat", "concatenation", joined, Joined(0)), path, at, (*ends,), met)

    walk(net.parts, "", Place((), "", "", None, "main"), INPUT)
    return rows


def entered(at: Place, path: str, label: str) -> Place:
    """The place inside of a module, which is a block where it has a label."""
    block = Block(label, path) if label else at.block
    return Place((*at.inside, path), at.stage, at.part, block, at.role)


def modules(path: str) -> list[str]:
    """The modules that torch has from the outermost one to this path: layer1, layer1.0, layer1.0.conv1."""
    return [*accumulate(path.split("."), "{}.{}".format)]


def input_of(rows: Iterable[Row], which: int = INPUT) -> Shape:
    """The shape of one of the network's inputs, as the first row has it that reads it; else the first row's."""
    first: Shape = ()
    for row in rows:
        first = first or row.input
        for read, shape in zip(row.reads, row.inputs, strict=True):
            if read == which:
                return shape
    return first


def live(rows: Iterable[Row]) -> list[bool]:
    """Whether anything of the network's inputs reaches each row; the others are the same for every input."""
    reached: list[bool] = []
    for row in rows:
        reached.append(any(read <= INPUT or reached[read] for read in row.reads))
    return reached


def learned(rows: Iterable[Row]) -> list[bool]:
    """Whether something learned has had a part in each row's output, so that a gradient is taken of it."""
    had: list[bool] = []
    for row in rows:
        had.append(any([at > INPUT and had[at] for at in row.reads]) or bool(row.layer.tensors()))
    return had


def state_dict(rows: Iterable[Row]) -> dict[str, Shape]:
    """Every tensor's name and shape in torch's order: a layer's parameters, then its buffers."""
    tensors: dict[str, Shape] = {}
    known: dict[int, list[tuple[str, Shape]]] = {}  # a layer stands in several blocks
    for row in rows:
        own = known.get(id(row.layer))
        if own is None:
            own = [*row.layer.parameters().items(), *row.layer.buffers().items()]
            known[id(row.layer)] = own
        for name, shape in own:
            tensors[f"{row.path}.{name}" if name else row.path] = shape
    return tensors
