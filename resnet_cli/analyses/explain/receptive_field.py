"""How a receptive field comes about: r grows by (k − 1)·j, and j by the stride (Araujo et al. 2019).

In pixels of the input: r is what one neuron sees, j how far apart two neighbours see, P how far the
first one looks out of it. Every result is the reach of the row itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import NamedTuple

from resnet_cli.analyses.explain.explain import named
from resnet_cli.analyses.field.receptive_field import fields
from resnet_cli.errors import UserError
from resnet_cli.layers.arithmetic import Step
from resnet_cli.layers.reach import Reach
from resnet_cli.trace import Row, input_of


class Seen(NamedTuple):
    """Along one side, what the neurons see of each tensor that a row reads, and what its own do."""

    row: Row
    before: list[Reach]
    own: Reach

    @property
    def window(self) -> tuple[int | None, int, int]:
        """Kernel, stride and padding; where the layer has none, by how much wider it sees.

        A kernel of None is of windows that are not evenly apart.
        """
        if self.row.layer.window:
            return self.row.layer.window
        first, own = self.before[0], self.own
        if not first.stride:
            return (1 if own.size == first.size else None, 1, 0)
        return ((own.size - first.size) // first.stride + 1, own.stride // first.stride, 0)


def by_stage(rows: Sequence[Row]) -> list[Step]:
    """r and j of each stage's last neurons, as far as every layer up to there is described."""

    def along(seen: list[Seen]) -> list[Step]:
        steps = [Step("input: r", "one pixel", "1", 1)]
        for stage, places in groupby(range(len(rows)), key=lambda place: rows[place].stage):
            *_, last = places
            if not seen[last].own.size:
                break
            way = _way(rows, seen, last)
            added = _stage(stage, way) if way else []
            steps += added or _layers([s for s in seen if s.row.stage == stage])
        return steps

    return _both(rows, along)


def by_layer(rows: Sequence[Row], chosen: Sequence[Row]) -> list[Step]:
    """What changes from layer to layer among the chosen, and where the last one's first window lies.

    Raises `UserError` where an operation before them is not described.
    """
    places = {id(row) for row in chosen}

    def along(seen: list[Seen]) -> list[Step]:
        within = [each for each in seen if id(each.row) in places]
        if not within[-1].own.size:
            what = f"the receptive field of {chosen[-1].path} is not known"
            raise UserError(what, "explain a layer before it")
        steps = _layers(within[:-1]) + _layer(within[-1], whole=len(within) == 1)
        return steps + _centre(within[-1])

    return _both(rows, along)


def _both(rows: Sequence[Row], along: Callable[[list[Seen]], list[Step]]) -> list[Step]:
    """The steps along the height, and along the width where they are others."""
    sides = []
    reached = fields(rows)
    for side in (0, 1):
        pixels = Reach.of_input(input_of(rows)[side + 1])
        own = [field[side] for field in reached]
        seen = [
            Seen(row, [own[read] if read >= 0 else pixels for read in row.reads], reach)
            for row, reach in zip(rows, own, strict=True)
        ]
        sides.append(along(seen))
    height, width = sides
    if height == width:
        return height
    if len(height) != len(width):
        return [s._replace(step=f"{s.step}, height") for s in height] + [
            s._replace(step=f"{s.step}, width") for s in width
        ]
    steps = []
    for one, other in zip(height, width, strict=True):
        alike = one == other
        steps.append(one if alike else one._replace(step=f"{one.step}, height"))
        if not alike:
            steps.append(other._replace(step=f"{other.step}, width"))
    return steps


def _way(rows: Sequence[Row], seen: Sequence[Seen], last: int) -> list[Seen] | None:
    """The layers of a stage that lead to its last; at a merge along the branch that sees as much.

    None where neither branch does, as each sees what the other does not.
    """
    way: list[Seen] = []
    at = last
    while at >= 0 and rows[at].stage == rows[last].stage:
        way.insert(0, seen[at])
        own = seen[at].own
        reads = [
            read
            for read, reach in zip(rows[at].reads, seen[at].before, strict=True)
            if len(rows[at].reads) == 1 or (reach.start, reach.size) == (own.start, own.size)
        ]
        if not reads:
            return None
        at = reads[-1] if rows[at].layer.join else reads[0]
    return way


def _stage(stage: str, way: Sequence[Seen]) -> list[Step]:
    """A stage as one sum and one product; nothing where its windows are unevenly apart."""
    first, own = way[0].before[0], way[-1].own
    terms, strides = [f"{first.size}"], [f"{first.stride}"]
    plain = [each for each in way if not each.row.layer.join]
    if any(each.window[0] is None for each in plain):
        return []
    widened = [(each.window[0], each.before[0].stride) for each in plain if each.window[0] != 1]
    for (kernel, between), same in groupby(widened):
        times = len(list(same))
        terms.append(f"{times}·" * (times > 1) + f"({kernel} − 1)·{between}")
    strides += [f"{each.window[1]}" for each in plain if each.window[1] > 1]
    steps = [Step(f"{stage}: r", "r + (k − 1)·j of each layer", " + ".join(terms), own.size)]
    if own.stride and len(strides) > 1:
        steps.append(Step(f"{stage}: j", "j·s of each layer", "·".join(strides), own.stride))
    return steps


def _layers(seen: Sequence[Seen]) -> list[Step]:
    """What changes from layer to layer; gates are beside the path that is followed."""
    return [
        step for each in seen if each.row.role != "gate" and each.own.size for step in _layer(each)
    ]


def _layer(seen: Seen, whole: bool = False) -> list[Step]:
    """r, j and P of a layer, or those of them alone that change in it."""
    (first, *others), own, name = seen.before, seen.own, named(seen.row)
    if seen.row.layer.join:
        return _merged(name, first, others[0], own, whole)
    kernel, stride, padding = seen.window
    steps = []
    if kernel is None:
        steps.append(Step(f"{name}: r", "all that its inputs see", f"{own.size}", own.size))
    elif whole or own.size != first.size:
        numbers = f"{first.size} + ({kernel} − 1)·{first.stride}"
        steps.append(Step(f"{name}: r", "r + (k − 1)·j", numbers, own.size))
    if own.stride and (whole or own.stride != first.stride):
        steps.append(Step(f"{name}: j", "j·s", f"{first.stride}·{stride}", own.stride))
    if whole or own.start != first.start:
        numbers = f"{-first.start} + {padding}·{first.stride}"
        steps.append(Step(f"{name}: P", "P + p·j", numbers, -own.start))
    return steps


def _merged(name: str, side: Reach, body: Reach, own: Reach, whole: bool) -> list[Step]:
    """Where branches meet, a neuron sees what either does: from the first start to the last end."""
    if not whole and (side.start, side.size) == (body.start, body.size):
        return []
    out = Step(f"{name}: P", "the larger of both", f"max({-side.start}, {-body.start})", -own.start)
    if own.size == max(side.size, body.size):
        numbers = f"max({side.size}, {body.size})"
        return [Step(f"{name}: r", "the larger of both", numbers, own.size), out]
    ends = f"max({side.start + side.size}, {body.start + body.size})".replace("-", "−")
    return [Step(f"{name}: r", "last end + P", f"{ends} + {-own.start}", own.size), out]


def _centre(seen: Seen) -> list[Step]:
    """The middle of the first neuron's window, in half pixels as it may lie between two."""
    own = seen.own
    if not own.stride:
        return []
    numbers = f"({own.size} − 1) / 2 − {-own.start}"
    return [Step(f"{named(seen.row)}: centre", "(r − 1) / 2 − P", numbers, own.centre)]
