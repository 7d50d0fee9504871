"""What one neuron sees of the input, by stage, block or layer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from math import prod
from typing import TypeAlias, TypeVar

from resnet_cli.analyses.levels import Level
from resnet_cli.layers.arithmetic import Shape
from resnet_cli.layers.grid import Unknown
from resnet_cli.layers.reach import UNKNOWN, Reach, Seen
from resnet_cli.tables import Column, Table
from resnet_cli.trace import INPUT, Row

UNFIT = "its shapes do not fit what it does"
T = TypeVar("T")
Field: TypeAlias = tuple[Reach, ...]
"""Of each side of the input: height and width, in a video time before them, in a text its length."""
SIDES = {1: ("length",), 2: ("height", "width"), 3: ("time", "height", "width")}
State: TypeAlias = Seen | str | None
"""What a row's output sees; why that is not known; None where nothing of the input comes into it."""


def fields(rows: Sequence[Row]) -> list[Field]:
    """The receptive field of each row's output, along each side of the input.

    A gate (squeeze-excitation) is followed on its own rows, and not through what it scales: from
    there on every neuron depends on the whole input, and the field is that of the main path.
    """
    _, _, sides = image(rows)
    result: list[Field] = []
    states = seen(rows)
    for row, state in zip(rows, states, strict=True):
        at = row.reads[0] if row.reads else INPUT
        same = at >= 0 and states[at] is state
        result.append(result[at] if same else _field(state, sides))
    return result


def _field(state: State, sides: Sequence[int]) -> Field:
    if state is None or isinstance(state, str):
        return (UNKNOWN._replace(why=state or ""),) * len(sides)
    return tuple([state.along(side) for side in sides])


def seen(rows: Sequence[Row]) -> list[State]:
    """What each row's output sees of the input that is followed."""
    which, shape, sides = image(rows)
    return [*_followed(rows, which, Seen.of_input(shape, sides))]


def _followed(rows: Sequence[Row], which: int, source: Seen) -> Iterator[State]:
    states: list[State] = []
    for row in rows:
        known: list[Seen | None] = []
        unknown = []
        for read in row.reads:
            before = states[read] if read >= 0 else source if read == which else None
            if isinstance(before, str):
                unknown.append(before)
                before = None
            known.append(before)
        state = _behind(row, known) if any(known) else None
        if unknown and (state is None or isinstance(state, str) or not state.is_all(source)):
            state = unknown[0]  # but what sees all of the input sees no more with what is not known
        states.append(state)
        yield state


def _behind(row: Row, before: list[Seen | None]) -> State:
    """What a row's output sees; where its places are not known, those that see alike need none."""
    try:
        return row.layer.reach(before, row.inputs, row.output)
    except Unknown as problem:
        loosened = [each and each.loosened() for each in before]
        if loosened != before:
            with suppress(Unknown):
                return row.layer.reach(loosened, row.inputs, row.output)
        return f"{row.path}: {problem}"
    except (ArithmeticError, LookupError, ValueError):
        return f"{row.path}: {UNFIT}"


def image(rows: Sequence[Row]) -> tuple[int, Shape, tuple[int, ...]]:
    """Which input is followed, its shape, and which of its dimensions are sides of an image, a video, a text.

    Of several inputs it is the first of the most dimensions. Its sides are what the first window slides over; where none
    does, all dimensions but the channels, which stand first, or last where they are up to four.
    """
    shapes: dict[int, Shape] = {}
    for row in rows:
        for read, shape in zip(row.reads, row.inputs, strict=True):
            if read <= INPUT:
                shapes.setdefault(read, shape)
    if not shapes:
        return INPUT, (), ()
    which = max(sorted(shapes, reverse=True), key=lambda read: len(shapes[read]))
    shape = shapes[which]
    every = Seen.of_input(shape, range(len(shape)))
    states: list[State] = []
    before: State = every
    for row, state in zip(rows, _followed(rows, which, every), strict=False):
        states.append(state)
        if row.layer.slides and row.reads and state is not None:
            before = every if row.reads[0] == which else states[row.reads[0]]
            if not (before is None or isinstance(before, str)):
                slid = before.sides(range(len(before.dims) - row.layer.slides, len(before.dims)))
                if slid:
                    return which, shape, slid
            break
    if not shape:
        return which, shape, ()
    if len(shape) < 3:
        return which, shape, (int(len(shape) > 1 and shape[0] == 1),)
    last = shape[-1] <= 4 < shape[0]
    return which, shape, tuple(range(len(shape) - 1) if last else range(1, len(shape)))


def sides_of(many: int) -> tuple[str, ...]:
    """What so many sides of an input are called."""
    return SIDES.get(many, tuple(f"side {order}" for order in range(1, many + 1)))


def across(field: Field) -> Reach:
    """Of the height; of a text, of its length."""
    return field[-2] if len(field) > 1 else field[0]


def alike(values: Sequence[T]) -> T | tuple[T, ...]:
    """One for all sides where they are equal, else each."""
    return values[0] if len({*values}) == 1 else (*values,)


LEVELS = ("stage", "block", "layer", "module")


def receptive_field(rows: Sequence[Row], level: Level) -> Table:
    """A line for each stage, block, layer or module: the field of its last layer's output.

    ``seen`` is what the neuron in the middle sees inside of the input.
    """
    _, shape, sides = image(rows)
    pixels = tuple(shape[side] for side in sides)
    own = (Column("path", "path"),) if level.key == "layer" else level.columns
    columns = (
        *own,
        Column("output", "output", "shape", drop=6),
        Column("stride", "stride", "shape", drop=3),
        Column("receptive_field", "receptive field", "shape"),
        Column("padding", "padding", "shape", drop=4),
        Column("centre", "centre", "shape", drop=5),
        Column("seen", "middle sees", "shape", drop=2),
        Column("coverage", "coverage", "share", drop=1),
        Column("bar", "", "bar", drop=9),
    )
    last: dict[str, tuple[State, Row]] = {}
    for row, state in zip(rows, seen(rows), strict=True):
        if state is not None or level.name(row) not in last:  # what nothing comes into is beside
            last[level.name(row)] = (state, row)
    body = [
        (*level.cells(name), *_line(_field(state, sides), row, pixels))
        for name, (state, row) in last.items()
    ]
    return Table("rows", "", columns, body)


def features(rows: Sequence[Row]) -> tuple[str, Reach]:
    """The last stage before the classifier and before a pooling of all places, and its field along the height."""
    _, _, sides = image(rows)
    each = [
        (row.stage, state)
        for row, state in zip(rows, seen(rows), strict=True)
        if row.part != "head"
    ]
    live = [(stage, state) for stage, state in each if state is not None] or each[-1:]
    placed = [
        (stage, state)
        for stage, state in live
        if state is None or isinstance(state, str) or state.has_places
    ]
    stage, state = (placed or live)[-1]
    return stage, across(_field(state, sides))


def _line(field: Field, row: Row, image: Shape) -> tuple[object, ...]:
    if not all(side.size for side in field):
        return (row.output, *[None] * 7)
    even = all(side.stride for side in field)
    stride = alike([side.stride for side in field]) if even else None
    centre = alike([side.centre for side in field]) if even else None
    ends = [side.seen(side.places // 2) for side in field]
    inside = tuple(max(last - first + 1, 0) for first, last in ends)
    share = prod(inside) / prod(image)
    size = tuple(side.size for side in field)
    padding = alike([-side.start for side in field])
    return (row.output, stride, size, padding, centre, inside, share, share)
