"""Residual blocks, shortcuts and gates of rows that others' graphs gave, and the stages that they stand in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from math import prod
from typing import NamedTuple

from resnet_cli.layers.base import Layer, elements
from resnet_cli.layers.elementwise import Dropout, Elementwise, Sigmoid, Softmax
from resnet_cli.layers.merging import ADDITION, Scale, ScaledAdd
from resnet_cli.layers.products import Attention
from resnet_cli.layers.shaping import Flatten, View
from resnet_cli.layers.windows import Convolution, Resize
from resnet_cli.trace import INPUT, Block, Place, Row, live

MOST_STEPS = 50
"""So often may rows be looked at, each, in search of what addends come from: more is no network's structure."""
MOST_ADDENDS = 64
"""Of one sum, each compared with each; a sum of more is none of a block."""
NONE = -(10**9)
MOST_STAGES = 7
SCALE = Scale("scale")
VIEWS = (View, Flatten)


class Join(NamedTuple):
    """An addition of several addends: ``kind`` is residual, parallel, of parts, fusion, skip or broadcast.

    ``at`` is its row, ``split`` the row whose output the branches part from; of a residual one ``side``
    is the shortcut's end and ``body`` the other's, ``shortcut`` and ``inside`` the rows of each.
    """

    kind: str
    at: int
    split: int = NONE
    side: int = NONE
    body: int = NONE
    shortcut: tuple[int, ...] = ()
    inside: tuple[int, ...] = ()


class Gate(NamedTuple):
    """A product of ``gated`` and a gate that ends at ``end``; ``inside`` are the gate's rows."""

    at: int
    gated: int
    end: int
    inside: tuple[int, ...]


class Structure(NamedTuple):
    """What is met in the rows."""

    joins: list[Join]
    gates: list[Gate]


def structured(rows: list[Row]) -> list[Row]:
    """The rows with additions and gates as such, and every row in its block, role, stage and part."""
    found = structure(rows)
    made = list(rows)
    for join in found.joins:
        row = rows[join.at]
        if join.kind == "residual" and len(row.reads) == 2:
            order = sorted(range(2), key=lambda at: row.reads[at] != join.side)
            made[join.at] = row._replace(
                layer=_joined(row.layer, order),
                reads=tuple(row.reads[at] for at in order),
                inputs=tuple(row.inputs[at] for at in order),
            )
    for gate in found.gates:
        row = rows[gate.at]
        order = sorted(range(2), key=lambda at: row.reads[at] != gate.gated)
        made[gate.at] = row._replace(
            layer=SCALE,
            reads=tuple(row.reads[at] for at in order),
            inputs=tuple(row.inputs[at] for at in order),
        )
    return _placed(made, found)


def _joined(layer: Layer, order: list[int]) -> Layer:
    """An addition that reads its shortcut first."""
    if not layer.join:
        return ADDITION
    if isinstance(layer, ScaledAdd) and order != [0, 1]:
        return ScaledAdd(layer.name, layer.body, layer.shortcut)
    return layer


def structure(rows: Sequence[Row]) -> Structure:
    """Additions and gates of rows in the order of execution."""
    return _Search(rows).result()


class _Search:
    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows
        self.live = live(rows)
        self.steps = 10_000 + MOST_STEPS * len(rows)
        self.shapes = {
            read: shape for row in rows for read, shape in zip(row.reads, row.inputs, strict=True)
        }
        self.multiplies = [row.macs > 0 for row in rows]
        self.reads = [
            tuple(dict.fromkeys(r for r in row.reads if r <= INPUT or self.live[r])) for row in rows
        ]
        self.readers: Counter[int] = Counter(read for reads in self.reads for read in reads)
        self.above: list[int] = []  # the nearest row that all of a row's input comes through
        self.depth: list[int] = []
        for reads in self.reads:
            nearest = reads[0] if reads else INPUT
            for read in reads[1:]:
                nearest = self.meet(nearest, read)
            self.above.append(nearest)
            self.depth.append((self.depth[nearest] if nearest >= 0 else 0) + 1)
        self.gates: dict[int, Gate] = {}

    def result(self) -> Structure:
        for at, row in enumerate(self.rows):
            if self.is_(at, "product") and len(self.reads[at]) == 2 and row.output:
                gate = self.gate(at)
                if gate:
                    self.gates[at] = gate
        inner = self.inner()
        joins = [
            self.join(at, self.addends(at, inner))
            for at in range(len(self.rows))
            if self.is_(at, "addition") and at not in inner and len(self.reads[at]) > 1
        ]
        return Structure(joins, [*self.gates.values()])

    def is_(self, at: int, kind: str) -> bool:
        layer = self.rows[at].layer
        if kind == "addition" and layer.join:  # put together from several operations
            return True
        return isinstance(layer, Elementwise) and layer.operator == kind

    def meet(self, a: int, b: int) -> int:
        """The nearest row that both come through."""
        while a != b:
            if a <= INPUT or b <= INPUT:
                return INPUT
            if self.depth[a] >= self.depth[b]:
                a = self.above[a]
            else:
                b = self.above[b]
        return a

    def inner(self) -> set[int]:
        """Additions that only another addition reads, beside it in one module: parts of one sum."""
        reader = {read: at for at, reads in enumerate(self.reads) for read in reads}
        return {
            at
            for at in range(len(self.rows))
            if self.is_(at, "addition") and len(self.reads[at]) > 1 and self.readers[at] == 1
            and self.is_(reader[at], "addition") and len(self.reads[reader[at]]) > 1
            and self.rows[reader[at]].inside == self.rows[at].inside
        }  # fmt: skip

    def addends(self, at: int, inner: set[int]) -> list[int]:
        result: list[int] = []
        waiting = [*reversed(self.reads[at])]
        while waiting:
            read = waiting.pop()
            if read in inner:
                waiting += reversed(self.reads[read])
            else:
                result.append(read)
        return result

    def strip(self, at: int) -> int:
        """An addend without views, dropout, constant factors and its own gate."""
        while at >= 0 and self.readers[at] == 1:
            layer = self.rows[at].layer
            if at in self.gates:
                at = self.gates[at].gated
            elif len(self.reads[at]) == 1 and (
                (isinstance(layer, VIEWS) and not self.is_part(at)) or isinstance(layer, Dropout) or self.is_(at, "product") or self.is_(at, "quotient")
            ):  # fmt: skip
                at = self.reads[at][0]
            else:
                break
        return at

    def comes_from(self, at: int, source: int) -> bool:
        """Whether a row's input comes through another, on some way."""
        if source <= INPUT:
            return True
        nearest = at
        while nearest > source:
            nearest = self.above[nearest]
        if nearest == source:
            return True
        return source in self.behind(source, at)

    def behind(self, source: int, end: int) -> set[int]:
        """The rows from which an end comes, down to a row and with it where it is one; none beyond `MOST_STEPS`."""
        waiting, seen = [end], {end}
        while waiting and self.steps > 0:
            for read in self.reads[waiting.pop()]:
                self.steps -= 1
                if read >= source and read not in seen:
                    seen.add(read)
                    if read > source:
                        waiting.append(read)
        return seen if self.steps > 0 else set()

    def between(self, split: int, end: int) -> tuple[int, ...]:
        """The rows from which an end comes, behind a split that all of it comes through."""
        if end <= split or end < 0:
            return ()
        return tuple(sorted(self.behind(split, end) - {split}))

    def gate(self, at: int) -> Gate | None:
        """The gate of a product, if one factor is a gate computed with weights from what the other comes from."""
        for gated, end in (self.reads[at], self.reads[at][::-1]):
            top = self.without_views(end)
            if not self.ends_as_gate(top):
                continue
            split = self.meet(gated, end) if end >= 0 and gated >= 0 else INPUT
            inside = self.between(split, end)
            others = {*self.between(split, gated)}
            own = [part for part in inside if part not in others]
            if any(self.rows[part].layer.tensors() for part in own):
                return Gate(at, gated, end, tuple(own))
        return None

    def without_views(self, at: int) -> int:
        while (
            at >= 0
            and len(self.reads[at]) == 1
            and isinstance(self.rows[at].layer, View | Flatten | Resize)
        ):
            at = self.reads[at][0]
        return at

    def ends_as_gate(self, at: int) -> bool:
        while at >= 0 and self.is_(at, "subtraction") and len(self.reads[at]) == 1:  # one minus it
            at = self.without_views(self.reads[at][0])
        if at < 0:
            return False
        layer = self.rows[at].layer
        if isinstance(layer, Elementwise):
            return layer.kind.gate
        return isinstance(layer, Sigmoid | Softmax)

    def join(self, at: int, addends: list[int]) -> Join:
        """What kind of addition one is."""
        rows = self.rows
        if any(self.shapes[addend] != rows[at].output for addend in addends):
            return Join("broadcast", at)
        if len(addends) > MOST_ADDENDS:
            return Join("fusion", at)
        plain = [self.strip(addend) for addend in addends]
        for place, end in enumerate(plain):
            others = [addend for other, addend in enumerate(addends) if other != place]
            if any(other > end and self.comes_from(other, end) for other in others):
                body = max(others)
                inside = self.between(end, body)
                shortcut = self.between(end, addends[place])
                return self.residual(at, end, addends[place], body, shortcut, inside)
        split = addends[0]
        for addend in addends[1:]:
            split = self.meet(split, addend)
        branches = [self.between(split, addend) for addend in addends]
        if self.of_parts(split, branches):
            return Join("of parts", at, split)
        if not any(self.bends(part) for branch in branches for part in branch):
            return Join("parallel", at, split)
        weights = [sum(self.multiplies[part] for part in branch) for branch in branches]
        most = max(weights)
        straight = min(
            range(len(branches)), key=lambda place: (weights[place], len(branches[place]))
        )
        bent = any(self.bends(part) for part in branches[straight])
        scaled = any(self.modulates(part) for part in branches[straight])  # no shortcut is
        if most > weights[straight] and not scaled and (weights[straight] <= 1 or not bent):
            body = addends[weights.index(most)]
            inside = branches[weights.index(most)]
            return self.residual(at, split, addends[straight], body, branches[straight], inside)
        return Join("fusion", at, split)

    def residual(
        self,
        at: int,
        split: int,
        side: int,
        body: int,
        shortcut: tuple[int, ...],
        inside: tuple[int, ...],
    ) -> Join:
        rows = self.rows
        resizes = any(
            isinstance(layer := rows[part].layer, Resize)
            or (isinstance(layer, Convolution) and layer.transposed)
            for part in inside
        )
        own = tuple(part for part in inside if part not in set(shortcut))
        if not any(rows[part].layer.tensors() for part in own):
            return Join("fusion", at, split)
        return Join("skip" if resizes else "residual", at, split, side, body, shortcut, own)

    def of_parts(self, split: int, branches: list[tuple[int, ...]]) -> bool:
        """Whether branches start from different parts of one tensor."""
        parts = [
            {part for part in branch if self.reads[part] == (split,) and self.is_part(part)}
            for branch in branches
        ]
        return all(parts) and len(set().union(*parts)) >= len(branches)

    def is_part(self, at: int) -> bool:
        row = self.rows[at]
        return (
            isinstance(row.layer, VIEWS)
            and bool(row.inputs)
            and elements(row.output) < elements(row.input)
        )

    def modulates(self, at: int) -> bool:
        """Whether a row multiplies by what the network computes, and is no gate of weights."""
        return self.is_(at, "product") and len(self.reads[at]) > 1 and at not in self.gates

    def bends(self, at: int) -> bool:
        """Whether a row is a non-linearity."""
        return self.rows[at].layer.activation or isinstance(
            self.rows[at].layer, Attention | Sigmoid | Softmax
        )


def _placed(rows: list[Row], found: Structure) -> list[Row]:
    """Every row in its block, role, stage and part."""
    roles: dict[int, str] = {}
    residual = [join for join in found.joins if join.kind == "residual"]
    for join in residual:
        roles.update(dict.fromkeys(join.shortcut, "shortcut"))
    for gate in found.gates:
        roles.update(dict.fromkeys(gate.inside, "gate"))
    holders = Counter(_holder(rows[join.at]) for join in residual)
    blocks: dict[int, Block] = {}
    modules: dict[str, Block] = {}
    for join in residual:
        holder = _holder(rows[join.at])
        path = holder
        if holders[holder] > 1 or not holder:
            path = _child(rows, join, holder)
        elif holder:
            modules[holder] = Block(path, path)
        block = Block(path, path)
        for at in (*join.inside, *join.shortcut, join.at):
            if at not in blocks or len(path) > len(blocks[at].path):
                blocks[at] = block
    parts = stages(rows)
    result = []
    for at, row in enumerate(rows):
        nested = [modules[path] for path in (*row.inside, row.path) if path in modules]
        own = [blocks[at]] if at in blocks else []
        innermost = max((*nested, *own), key=lambda each: len(each.path), default=None)
        place = Place(row.inside, *parts[at], innermost, roles.get(at, "main"))
        result.append(row._replace(place=place))
    return result


def _holder(row: Row) -> str:
    """The module that a row is an expression of."""
    return row.inside[-1] if row.inside else ""


def _child(rows: Sequence[Row], join: Join, holder: str) -> str:
    """The first module inside of a block's body that has weights to multiply by, below the one that holds all."""
    deep = len(rows[join.at].inside)
    for at in join.inside:
        row = rows[at]
        if row.macs:
            around = (*row.inside, row.path)
            return around[min(deep, len(around) - 1)]
    return rows[join.at].path


def stages(rows: Sequence[Row]) -> list[tuple[str, str]]:
    """For each row its stage and its part: stem, body or head. Modules are the borders.

    A child that holds nine tenths of its parent's rows is unwrapped. Composites are children in which
    a module multiplies within another, or where there are none those that multiply more than once. Many
    composites one behind another are put together by the resolution that they end in.
    """
    reached = live(rows)
    names = _opened(rows, _children(rows), reached)
    order = list(dict.fromkeys(name for name, runs in zip(names, reached, strict=True) if runs))
    deep: Counter[str] = Counter()
    macs: Counter[str] = Counter()
    spatial: Counter[str] = Counter()
    ends: dict[str, Row] = {}
    for row, name, runs in zip(rows, names, reached, strict=True):
        if not runs:
            continue
        macs[name] += bool(row.macs)
        deep[name] += (
            bool(row.macs) and bool(row.inside) and row.inside[-1].count(".") > name.count(".")
        )
        spatial[name] += len(row.output) > 1
        if row.macs or row.layer.join:
            ends[name] = row
    composites = [name for name in order if deep[name]]
    composites = composites or [name for name in order if macs[name] > 1]
    holders = Counter(name.rpartition(".")[0] for name in names)
    (holder, held), *_ = holders.most_common(1) or [("", 0)]
    if holder and 2 * held > len(names):  # what stands before and behind it is stem and head
        composites = [name for name in composites if name.startswith(f"{holder}.")]
    while len(composites) > 1 and not spatial[composites[-1]]:
        composites.pop()
    if not composites:
        return [("", "") for _ in rows]
    groups = _by_resolution(composites, ends) if len(composites) > MOST_STAGES else composites
    group = dict(zip(composites, groups, strict=True))
    at = [place for place, name in enumerate(names) if name in group and reached[place]]
    result: list[tuple[str, str]] = []
    after = ("head", "head")
    for place in reversed(range(len(rows))):
        if place < at[0]:
            after = ("stem", "stem")
        elif place <= at[-1] and names[place] in group:
            after = (group[names[place]], "body")
        result.append(after)
    return result[::-1]


def _opened(rows: Sequence[Row], names: list[str], reached: Sequence[bool]) -> list[str]:
    """The names, with its children's in place of a module's that holds most rows and changes its resolution within.

    That is before the last child: a stage may end in what makes the next one smaller. Lists whose modules run
    between its own are opened with it.
    """
    inside: dict[str, list[int]] = {}
    for at, name in enumerate(names):
        if reached[at]:
            inside.setdefault(name, []).append(at)
    below = [_below(name, row.path) for name, row in zip(names, rows, strict=True)]
    most = max(inside, key=lambda name: len(inside[name]), default="")
    ends: dict[str, int] = {}
    for at in inside.get(most, ()):
        row = rows[at]
        composite = row.inside and row.inside[-1].count(".") > below[at].count(".")
        if below[at] in ends or (row.macs and composite):
            ends[below[at]] = _places(row) if row.macs or row.layer.join else ends[below[at]]
    changes = len({*[*ends.values()][:-1]}) > 1
    if not changes or 2 * len(inside[most]) < sum(reached):
        return names
    first, last = inside[most][0], inside[most][-1]
    among = {name for name, places in inside.items() if places[0] < last and places[-1] > first}
    return [part if name in among else name for name, part in zip(names, below, strict=True)]


def _below(name: str, path: str) -> str:
    """The name of a module's child that a path lies in."""
    if not path.startswith(f"{name}."):
        return name
    return f"{name}.{path[len(name) + 1 :].split('.')[0]}"


def _places(row: Row) -> int:
    """How many places a map has, channels first, or tokens, channels last."""
    shape = row.output
    first = len(shape) == 3 or (len(shape) == 4 and shape[-1] == shape[-2])
    return prod(shape[1:] if first else shape[:-1])


def _by_resolution(composites: Sequence[str], ends: Mapping[str, Row]) -> list[str]:
    """For each composite the name of its group: the first of those in a row that end in one resolution."""
    names: list[str] = []
    before = 0
    for name in composites:
        resolution = _places(ends[name])
        names.append(names[-1] if resolution == before else name)
        before = resolution
    return names


def _children(rows: Sequence[Row]) -> list[str]:
    """The name of each row's module below the one that holds most of them."""
    prefix = ""
    names = [row.path for row in rows]
    while True:
        start = f"{prefix}." if prefix else ""
        own = [path[len(start) :].split(".")[0] if path.startswith(start) else "" for path in names]
        shares = Counter(part for part in own if part)
        inner = f"{start}{max(shares, key=shares.__getitem__, default='')}"
        inside = sum(path.startswith(f"{inner}.") for path in names)
        if inside < 0.9 * len(rows) or inside < 2:
            break
        prefix = inner
    return [
        f"{start}{part}" if part else path.split(".")[0]
        for part, path in zip(own, names, strict=True)
    ]
