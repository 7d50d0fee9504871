"""How a receptive field comes about: r grows by (k − 1)·j, and j by the stride (Araujo et al. 2019).

In pixels of the input: r is what one neuron sees, j how far apart two neighbours see, P how far the
first one looks out of it. Every result is the reach of the row itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import NamedTuple

from resnet_cli.analyses.explain.explain import named
from resnet_cli.analyses.field.receptive_field import fields, image, sides_of
from resnet_cli.errors import UserError
from resnet_cli.layers.arithmetic import Step
from resnet_cli.layers.grid import Grid
from resnet_cli.layers.reach import Reach
from resnet_cli.trace import Row


class Passage(NamedTuple):
    """Along one side, what the neurons see of each tensor that a row reads, and what its own do.

    ``reads`` are those of which anything of the input comes.
    """

    row: Row
    reads: list[int]
    before: list[Reach]
    own: Reach

    @property
    def is_merge(self) -> bool:
        """Whether branches meet here; a gate is none, it is beside the path that is followed."""
        return len(self.before) > 1 and not self.row.layer.gate

    @property
    def window(self) -> tuple[int | None, int, int]:
        """Kernel, stride and padding, of a dilated kernel how wide it is; where the layer has none, by how much wider it sees.

        A kernel of None is of windows that are not evenly apart.
        """
        if self.row.layer.window:
            kernel, stride, padding = self.row.layer.window
            return (self.row.layer.dilation * (kernel - 1) + 1, stride, padding)
        first, own = self.before[0], self.own
        evenly = first.is_even and len(own.grid.windows) == 1
        if not evenly or own.stride % first.stride:
            same = (own.size, own.start, own.stride) == (first.size, first.start, first.stride)
            return (1 if same else None, 1, 0)
        kernel, padding = own.size - first.size, first.start - own.start
        if kernel % first.stride or padding % first.stride:
            return (None, 1, 0)
        return (kernel // first.stride + 1, own.stride // first.stride, padding // first.stride)


def by_stage(rows: Sequence[Row]) -> list[Step]:
    """r and j of each stage's last neurons, as far as every layer up to there is described."""

    def along(seen: list[Passage]) -> list[Step]:
        steps = [Step("input: r", "one pixel", "1", 1)]
        if not any(row.stage for row in rows):
            return steps + _layers(seen)
        for stage, places in groupby(range(len(rows)), key=lambda place: rows[place].stage):
            *_, last = places
            if not seen[last].own.size:
                break
            way = _way(rows, seen, last)
            added = _stage(stage, way) if way else []
            steps += added or _layers([s for s in seen if s.row.stage == stage])
        return steps

    return _each_side(rows, along)


def by_layer(rows: Sequence[Row], chosen: Sequence[Row]) -> list[Step]:
    """What changes from layer to layer among the chosen, and where the last one's first window lies.

    Raises `UserError` where an operation before them is not described.
    """
    places = {id(row) for row in chosen}

    def along(seen: list[Passage]) -> list[Step]:
        within = [each for each in seen if id(each.row) in places]
        if not within[-1].own.size:
            what = f"the receptive field of {chosen[-1].path} is not known"
            raise UserError(what, "explain a layer before it")
        steps = _layers(within[:-1]) + _layer(within[-1], whole=len(within) == 1)
        return (steps or _layer(within[-1], whole=True)) + _centre(within[-1])

    return _each_side(rows, along)


def _each_side(rows: Sequence[Row], along: Callable[[list[Passage]], list[Step]]) -> list[Step]:
    """The steps along all sides of the input, those of each where they are others."""
    which, shape, sides = image(rows)
    reached = fields(rows)
    found: list[tuple[list[str], list[Step]]] = []
    for order, name in enumerate(sides_of(len(sides))):
        pixels = Reach.of(Grid.of_input(shape[sides[order]]), shape[sides[order]])
        passages = []
        for row, field in zip(rows, reached, strict=True):
            own = {
                read: reached[read][order] if read >= 0 else pixels
                for read in dict.fromkeys(row.reads) if read >= 0 or read == which
            }  # fmt: skip
            known = {read: reach for read, reach in own.items() if reach.size} or own
            passages.append(Passage(row, [*known], [*known.values()], field[order]))
        steps = along(passages)
        alike = next((names for names, others in found if others == steps), None)
        if alike is None:
            found.append(([name], steps))
        else:
            alike.append(name)
    if len(found) == 1:
        return found[0][1]
    named_steps = [
        [step._replace(step=f"{step.step}, {' and '.join(names)}") for step in steps]
        for names, steps in found
    ]
    if len({len(steps) for _, steps in found}) > 1:
        return [step for steps in named_steps for step in steps]
    result: list[Step] = []
    for plain, each in zip(
        zip(*(steps for _, steps in found), strict=True),
        zip(*named_steps, strict=True),
        strict=True,
    ):
        result += plain[:1] if len({*plain}) == 1 else each
    return result


def _way(rows: Sequence[Row], seen: Sequence[Passage], last: int) -> list[Passage] | None:
    """The layers of a stage that lead to its last; at a merge along the branch that sees as much.

    None where neither branch does, as each sees what the other does not.
    """
    way: list[Passage] = []
    at = last
    while at >= 0 and rows[at].stage == rows[last].stage:
        way.insert(0, seen[at])
        own = seen[at].own
        reads = [
            read
            for read, reach in zip(seen[at].reads, seen[at].before, strict=True)
            if len(seen[at].reads) == 1 or (reach.start, reach.size) == (own.start, own.size)
        ]
        if not reads:
            return None
        at = reads[-1] if rows[at].layer.join else reads[0]
    return way


def _stage(stage: str, way: Sequence[Passage]) -> list[Step]:
    """A stage as one sum and one product; nothing where its windows are unevenly apart."""
    first, own = way[0].before[0], way[-1].own
    terms, strides = [f"{first.size}"], [f"{first.stride}"]
    plain = [each for each in way if not each.is_merge]  # which sees what the way to it does
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


def _layers(seen: Sequence[Passage]) -> list[Step]:
    """What changes from layer to layer; gates are beside the path that is followed."""
    return [
        step for each in seen if each.row.role != "gate" and each.own.size for step in _layer(each)
    ]


def _layer(seen: Passage, whole: bool = False) -> list[Step]:
    """r, j and P of a layer, or those of them alone that change in it."""
    own, name = seen.own, named(seen.row)
    if seen.is_merge:
        return _merged(name, seen.before, own, whole)
    first = seen.before[0]
    kernel, stride, padding = seen.window
    steps = []
    if kernel is None:
        if whole or own.size != first.size:
            steps.append(Step(f"{name}: r", "all that its inputs see", f"{own.size}", own.size))
        if own.stride and own.stride != first.stride:
            steps.append(
                Step(f"{name}: j", "j as its outputs are apart", f"{own.stride}", own.stride)
            )
        if whole or own.start != first.start:
            steps.append(Step(f"{name}: P", "P as its inputs see", f"{-own.start}", -own.start))
        return steps
    if whole or own.size != first.size:
        numbers = f"{first.size} + ({kernel} − 1)·{first.stride}"
        steps.append(Step(f"{name}: r", "r + (k − 1)·j", numbers, own.size))
    if own.stride and (whole or own.stride != first.stride):
        steps.append(Step(f"{name}: j", "j·s", f"{first.stride}·{stride}", own.stride))
    if whole or own.start != first.start:
        numbers = f"{-first.start} + {padding}·{first.stride}"
        steps.append(Step(f"{name}: P", "P + p·j", numbers, -own.start))
    return steps


def _merged(name: str, before: Sequence[Reach], own: Reach, whole: bool) -> list[Step]:
    """Where branches meet, a neuron sees what any does: from the first start to the last end."""
    if not whole and all((each.start, each.size) == (own.start, own.size) for each in before):
        return []
    sizes, starts = [each.size for each in before], [each.start for each in before]
    ends = [each.start + each.size for each in before]
    if own.start != min(starts) or own.size not in (max(sizes), max(ends) - own.start):
        return [
            Step(f"{name}: r", "all that its inputs see", f"{own.size}", own.size),
            Step(f"{name}: P", "P as its inputs see", f"{-own.start}", -own.start),
        ]
    padding = ", ".join(f"{-start}" for start in starts)
    out = Step(f"{name}: P", "the larger of both", f"max({padding})", -own.start)
    if own.size == max(sizes):
        numbers = f"max({', '.join(map(str, sizes))})"
        return [Step(f"{name}: r", "the larger of both", numbers, own.size), out]
    last = f"max({', '.join(map(str, ends))})".replace("-", "−")
    return [Step(f"{name}: r", "last end + P", f"{last} + {-own.start}", own.size), out]


def _centre(seen: Passage) -> list[Step]:
    """The middle of the first neuron's window, in half pixels as it may lie between two."""
    own = seen.own
    if not own.is_even:
        return []
    numbers = f"({own.size} − 1) / 2 − {-own.start}"
    return [Step(f"{named(seen.row)}: centre", "(r − 1) / 2 − P", numbers, own.centre)]
