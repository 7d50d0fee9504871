"""The papers' figures as a plain drawing, read from the rows of the trace."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from math import prod

from resnet_cli.analyses import levels, notation
from resnet_cli.analyses.column import column, written
from resnet_cli.analyses.cost import counts
from resnet_cli.drawings import Arc, Box, Drawing, DrawnNetwork, Size, Unit
from resnet_cli.errors import UserError
from resnet_cli.layers.arithmetic import Shape
from resnet_cli.networks import Network, distinct
from resnet_cli.trace import Row, input_of

LEVELS = ("stage", "block", "layer", "module")
DIRECTIONS = ("down", "right")
UNFOLDED = 40
"""Up to so many boxes a network is drawn whole unless asked; Figure 3's longest has 37."""
MOST = 20_000


def diagram(
    networks: Sequence[Network],
    level: str | None = None,
    fold: bool | None = None,
    direction: str = "down",
    units: bool = False,
) -> Drawing:
    """Networks as columns of boxes (He et al. 2015, Fig. 3).

    Level block has a box for each convolution, pooling and linear layer, as the paper; layer one
    for every layer; stage one for each row of Table 1; module one for each module, as deep as takes few, or so deep
    as a number says. None is block, and module where a network has no spec. ``fold`` draws a run of equal blocks or
    modules once; None folds modules, and blocks where a network has over `UNFOLDED` boxes. ``units`` is for
    single blocks, with their addition (He et al. 2015, Fig. 5; He et al. 2016, Fig. 1). Raises `UserError` for another
    level, and for over `MOST` boxes.
    """
    level = level or usual(networks)
    levels.check(level, LEVELS[:3] if units else LEVELS)
    names = distinct(networks)
    of_modules = level not in LEVELS or level == "module"

    def columns(fold: bool) -> list[DrawnNetwork]:
        drawn = []
        for name, network in zip(names, networks, strict=True):
            if units or (not of_modules and levels.usual(network) == "stage"):
                chain = _column(name, network, level, units)
                drawn.append(chain._replace(units=_folded(chain.units)) if fold else chain)
            else:
                drawn.append(column(name, network, level, fold))
        return drawn

    made = columns(of_modules if fold is None else fold)
    if fold is None and not of_modules:
        fold = max(len(each.boxes) for each in made) > UNFOLDED
        made = columns(True) if fold else made
    boxes = sum(len(each.boxes) for each in made)
    if boxes > MOST:
        fewer = "module" if any(network.spec is None for network in networks) else "stage"
        raise UserError(
            f"{boxes:,} boxes are too many for a diagram", f"add --fold or --level {fewer}"
        )
    if any(network.spec is None for network in networks) and not all(map(_falls, made)):
        made = [_without_rows(each) for each in made]
    notes = tuple(note for each in made for note in each.notes)
    return Drawing(tuple(made), level, direction, of_modules if fold is None else fold, notes)


def usual(networks: Sequence[Network]) -> str:
    """The level that nobody asked for."""
    return "block" if all(levels.usual(each) == "stage" for each in networks) else "module"


def _falls(column: DrawnNetwork) -> bool:
    """Whether each box has a size and none is larger than that before it: boxes of a size stand in one row."""
    sizes = [box.size for box in column.boxes]
    return all(sizes) and all(a == b or (prod(a), a) > (prod(b), b) for a, b in pairwise(sizes))


def _without_rows(column: DrawnNetwork) -> DrawnNetwork:
    """The column where boxes of a size have no common row: sizes are written where they change."""
    units, before, last = [], "", column.boxes[-1]
    for unit in column.units:
        boxes = []
        for box in unit.boxes:
            size = written(box.output)
            if box.kind == "stage":
                box = box._replace(lines=(*box.lines, size))
            elif len(box.lines) == 1 and size != before and box is not last:
                box = box._replace(below=size)
            boxes.append(box._replace(size=()))
            before = size
        arcs = (
            arc._replace(boxes=tuple(box._replace(size=()) for box in arc.boxes))
            for arc in unit.arcs
        )
        units.append(unit._replace(boxes=tuple(boxes), arcs=tuple(arcs)))
    return column._replace(units=tuple(units))


def _column(name: str, network: Network, level: str, units: bool) -> DrawnNetwork:
    rows = network.rows
    shape = input_of(rows)
    text = f"{shape[0]}-d" if units else "image"
    first = Unit((Box((text,), "input", "", (), (), (), shape, shape, _size(shape), 0, 0),))
    if level == "stage" and not units:
        chain = list(_stages(rows))
    else:
        chain = [_unit(rows, group, level, units) for group in _groups(rows, level, units)]
    total = counts.totals(rows)
    least = bool(network.uncounted)
    return DrawnNetwork(name, (first, *chain), total["params"], total["macs"], least, open=units)


def _stages(rows: Sequence[Row]) -> Iterator[Unit]:
    for stage, group in groupby(rows, key=lambda row: row.stage):
        members = list(group)
        lines = (stage, *map(str, notation.stage(members).parts))
        yield Unit((_box(members, lines, "stage"),))


def _groups(rows: Sequence[Row], level: str, units: bool) -> Iterator[list[int]]:
    """Indices of the rows of each unit: a block, or a drawn layer and the ones after it.

    Layers before the first drawn one, such as the last norm of a pre-activation network, join it, as
    do those behind the last one.
    """
    last = max(at for at, row in enumerate(rows) if _is_drawn(row, level, units))
    group: list[int] = []
    for index, row in enumerate(rows):
        begins = row.block is None and row.layer.in_figure
        begins = begins or row.label != rows[index - 1].label
        if begins and index <= last and any(_is_drawn(rows[i], level, units) for i in group):
            yield group
            group = []
        group.append(index)
    yield group


def _is_drawn(row: Row, level: str, units: bool) -> bool:
    """Whether a row is a box of the chain; what stands on a shortcut never is."""
    if level == "layer" or row.role != "main":
        return level == "layer" and row.role != "shortcut"
    if units and row.layer.join:
        return True
    gates_or_counts = row.layer.counted or row.layer.gate
    return row.layer.in_figure and (gates_or_counts or row.output != row.input)


def _unit(rows: Sequence[Row], group: Sequence[int], level: str, units: bool) -> Unit:
    drawn = [index for index in group if _is_drawn(rows[index], level, units)]
    carried: dict[int, list[int]] = {index: [] for index in drawn}
    for index in group:
        if rows[index].role != "shortcut" and index not in carried:
            before = [at for at in drawn if at < index]
            ahead = rows[index].role == "gate" or not before
            carried[min(at for at in drawn if at > index) if ahead else before[-1]].append(index)
    boxes = []
    for index, others in carried.items():
        text = notation.on_box(rows[index], level, [rows[i] for i in others], units)
        members = [rows[index], *(rows[i] for i in others)]
        box = _box(members, (text,), rows[index].layer.operator)
        if rows[index].role == "gate":
            gated = next(row for row in rows[index:] if row.layer.gate)
            box = box._replace(size=_size(gated.output))
        after = (rows[i].layer for i in others if i > index)
        below = next((layer.operator.lower() for layer in after if layer.activation), "")
        boxes.append(box._replace(below=below if units else ""))
    arcs = [
        _arc(rows, index, drawn, units)
        for index in group
        if rows[index].layer.join or (rows[index].layer.gate and level == "layer")
    ]
    return Unit(tuple(boxes), tuple(arcs))


def _arc(rows: Sequence[Row], merge: int, drawn: Sequence[int], units: bool) -> Arc:
    """The shortcut that a merge reads, followed back to where it leaves the chain."""
    source = rows[merge].reads[0]
    on: list[Row] = []
    while source >= 0 and rows[source].role == "shortcut":
        on.insert(0, rows[source])
        source = rows[source].reads[0]
    kinds = [row.layer.on_shortcut for row in on]
    known = ("projection", "zero padding", "dropout")
    kind = next((name for name in known if name in kinds), "identity")
    if rows[merge].layer.gate:
        kind = "scale"
    start = sum(index <= source for index in drawn)
    end = sum(index < merge for index in drawn)
    boxes = (
        _box([row], (notation.on_box(row, "layer", units=units),), row.layer.operator) for row in on
    )
    return Arc(start, end, kind, tuple(boxes))


def _box(rows: Sequence[Row], lines: tuple[str, ...], kind: str) -> Box:
    """A box for the first row that carries the others, or for all of a stage."""
    first, last = (rows[0], rows[-1]) if kind == "stage" else (rows[0], rows[0])
    others = () if kind == "stage" else tuple(row.layer.operator for row in rows[1:])
    labels = tuple(dict.fromkeys(row.label for row in rows))
    paths = tuple(dict.fromkeys(row.path for row in rows))
    params, macs = sum(map(counts.parameters, rows)), sum(row.macs for row in rows)
    return Box(
        lines, kind, first.stage, labels, paths, others,
        first.input, last.output, _size(last.output), params, macs,
    )  # fmt: skip


def _size(shape: Shape) -> Size:
    return (shape[1], shape[2]) if len(shape) == 3 else (1, 1)


def _folded(units: Sequence[Unit]) -> tuple[Unit, ...]:
    """Runs of equal units as one each, whose boxes stand for the layers of all."""
    folded = []
    for _, run in groupby(units, key=_nameless):
        same = list(run)
        boxes = tuple(map(_together, zip(*(unit.boxes for unit in same), strict=True)))
        arcs = []
        for alike in zip(*(unit.arcs for unit in same), strict=True):
            on = tuple(map(_together, zip(*(arc.boxes for arc in alike), strict=True)))
            arcs.append(alike[0]._replace(boxes=on))
        folded.append(Unit(boxes, tuple(arcs), len(same)))
    return tuple(folded)


def _nameless(unit: Unit) -> Unit:
    """What two units have in common when they are equal: all but where they stand."""
    boxes = tuple(box._replace(labels=(), paths=()) for box in unit.boxes)
    arcs = tuple(
        arc._replace(boxes=tuple(box._replace(labels=(), paths=()) for box in arc.boxes))
        for arc in unit.arcs
    )
    return Unit(boxes, arcs)


def _together(alike: tuple[Box, ...]) -> Box:
    labels = dict.fromkeys(label for box in alike for label in box.labels)
    paths = dict.fromkeys(path for box in alike for path in box.paths)
    return alike[0]._replace(labels=tuple(labels), paths=tuple(paths))
