"""Reach: which pixels of the input the numbers of a tensor see, along each of the input's sides.

Araujo et al. 2019, "Computing Receptive Fields of Convolutional Neural Networks" (Distill),
equations 2 and 4: a kernel of k adds (k − 1) · stride pixels, a padding of p moves the window
p · stride pixels out. Where two branches meet a neuron sees what either of them sees.

Along a side neurons stand at places 0, 1, … of a `Grid` (grid.py). Each dimension of a tensor is written in
*digits*, as a number is: the place that a number of the tensor stands at is the sum of its digits, each
times a weight. So whatever views, permutes or cuts into windows and patches moves digits and nothing
else, and a sum over a dimension makes the places that differ in its digits one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import gcd, prod
from typing import NamedTuple, TypeAlias

from resnet_cli.layers.arithmetic import Shape
from resnet_cli.layers.grid import MOST_WINDOWS, Grid, Span, Unknown, hull

MOST_WAYS = 6
"""So many ways from one side of the input into a tensor are followed, where its places differ by the way."""

Digit: TypeAlias = tuple[int, tuple[int, ...]]
"""How many values it takes, and for each way into the tensor how many places each is further."""
Dim: TypeAlias = tuple[Digit, ...]
"""A dimension's digits, the slowest first; one value alone needs none."""


class Way(NamedTuple):
    """How a side of the input comes into a tensor: which ``side`` it is, and what the places see of it."""

    side: int
    grid: Grid


class Seen(NamedTuple):
    """What the numbers of a tensor see: its dimensions in digits, and the ways of the input into it."""

    dims: tuple[Dim, ...]
    ways: tuple[Way, ...]

    @classmethod
    def of_input(cls, shape: Shape, sides: Sequence[int]) -> Seen:
        """Of the input itself, followed along the dimensions that are its ``sides``."""
        dims = tuple(
            ((size, tuple(int(at == side) for side in sides)),) if at in sides or size > 1 else ()
            for at, size in enumerate(shape)
        )
        return cls(dims, tuple(Way(side, Grid.of_input(shape[side])) for side in sides))

    @property
    def shape(self) -> Shape:
        """The tensor's shape."""
        return tuple(prod([values for values, _ in dim]) for dim in self.dims)

    def free(self, size: int) -> Dim:
        """A dimension whose numbers all see alike."""
        return ((size, (0,) * len(self.ways)),) if size > 1 else ()

    def is_free(self, at: int) -> bool:
        """Whether the numbers along a dimension see alike."""
        return not any([any(weights) for _, weights in self.dims[at]])

    def with_dim(self, at: int, *dims: Dim) -> Seen:
        """With other dimensions in place of one."""
        return self._replace(dims=(*self.dims[:at], *dims, *self.dims[at + 1 :]))

    def like(self, shape: Shape) -> Seen:
        """Spread to a shape, from the last dimension on; a leading batch of one may come or go.

        Raises `Unknown` where places would be multiplied or lost.
        """
        dims = list(self.dims)
        while len(dims) > len(shape) and prod([values for values, _ in dims[0]]) == 1:
            dims.pop(0)
        if len(dims) > len(shape):
            raise Unknown("tensors of unlike dimensions meet")
        dims = [()] * (len(shape) - len(dims)) + dims
        changed = len(dims) != len(self.dims)
        for at, size in enumerate(shape):
            own = prod([values for values, _ in dims[at]])
            if own == size:
                continue
            if own != 1 and any(any(weights) for _, weights in dims[at]):
                raise Unknown("tensors of unlike sizes meet")
            dims[at] = self.free(size)
            changed = True
        return _settled(tuple(dims), self.ways) if changed else self

    def laid(self, shape: Shape) -> Seen:
        """With the same dimensions, but those of one number as a shape has them."""
        if self.shape == shape:
            return self
        dims = [dim for dim in self.dims if prod([values for values, _ in dim]) > 1]
        if len(dims) != sum(size > 1 for size in shape):
            raise Unknown("its output's dimensions are not those of its inputs")
        order = iter(dims)
        return _settled(tuple(next(order) if size > 1 else () for size in shape), self.ways).like(
            shape
        )

    # what layers do

    def over(self, *dims: int) -> Seen:
        """With all numbers along some dimensions seen together, in one number."""
        left = tuple(() if at in dims else dim for at, dim in enumerate(self.dims))
        ways = []
        for at, way in enumerate(self.ways):
            summed = [
                (values, weights[at])
                for dim in dims
                for values, weights in self.dims[dim]
                if weights[at]
            ]
            rest = any([weights[at] for dim in left for _, weights in dim])
            for order, digit in enumerate(summed, 1):
                alone = not rest and order == len(summed)
                way = way._replace(grid=way.grid.over(*digit, alone=alone))
            ways.append(way)
        return _settled(left, tuple(ways))

    def alike(self, at: int) -> Seen:
        """With all numbers along a dimension seeing what any of them sees."""
        if self.is_free(at):
            return self
        size = self.shape[at]
        seen = self.over(at)
        return seen.with_dim(at, seen.free(size))

    def mixed(self, at: int, size: int, groups: int = 1) -> Seen:
        """With ``size`` numbers along a dimension of channels, each made of all in its group."""
        if self.is_free(at):
            return self.with_dim(at, self.free(size))
        if groups == 1:
            seen = self.over(at)
            return seen.with_dim(at, seen.free(size))
        shape = self.shape
        inner = (*shape[:at], groups, shape[at] // groups, *shape[at + 1 :])
        seen = self.reshaped(inner).over(at + 1)
        outer = (*seen.dims[at], *seen.free(size // groups))
        return seen._replace(dims=(*seen.dims[:at], outer, *seen.dims[at + 2 :]))

    def slid(
        self, at: int, places: int, taps: Callable[[int], range], every: int = 1, further: int = 1
    ) -> Seen:
        """With ``places`` windows over a dimension, as `Grid.through` has them."""
        if self.is_free(at):
            return self.with_dim(at, self.free(places))
        seen = self.plain(at)
        ((size, weights),) = seen.dims[at]
        columns: dict[int, list[list[int]]] = {}
        ways = []
        for order, (way, weight) in enumerate(zip(seen.ways, weights, strict=True)):
            if weight:
                grid = way.grid
                if weight == 1 and seen.is_alone(order, at):
                    grid = grid.bounded(size).through(places, taps, every, further)
                else:
                    grid, columns[order] = seen._within(order, at, places, taps, every, further)
                way = Way(way.side, grid)
            ways.append(way)
        dims = (*seen.dims[:at], ((places, weights),), *seen.dims[at + 1 :])
        for order, column in columns.items():
            dims = tuple(
                tuple(
                    (values, (*weights[:order], new, *weights[order + 1 :]))
                    for (values, weights), new in zip(dim, own, strict=True)
                )
                for dim, own in zip(dims, column, strict=True)
            )
        return Seen(dims, tuple(ways))

    def is_alone(self, way: int, at: int) -> bool:
        """Whether no dimension but one has a part in where the places of a way stand."""
        for other, dim in enumerate(self.dims):
            if other != at:
                for _, weights in dim:
                    if weights[way]:
                        return False
        return True

    def _within(
        self, way: int, at: int, places: int, taps: Callable[[int], range], every: int, further: int
    ) -> tuple[Grid, list[list[int]]]:
        """A way with windows over a dimension while others have a part in where its places stand.

        It sees nothing beyond the places along it, but where it is the slowest of them. The grid, and how far
        apart each digit's values are in it.
        """
        digits = sorted(
            (
                (weights[way], values, dim, digit)
                for dim, own in enumerate(self.dims)
                for digit, (values, weights) in enumerate(own)
                if weights[way]
            ),
            key=lambda each: -abs(each[0]),
        )
        grid = self.ways[way].grid.counted([(values, weight) for weight, values, *_ in digits])
        grid = grid.bounded(prod([values for _, values, *_ in digits]))
        slowest = digits[0][2] == at
        column = [[0] * len(own) for own in self.dims]
        below, weight, size = 1, 1, 1
        for _, values, dim, digit in reversed(digits):
            column[dim][digit] = weight
            if dim == at:
                below, size = weight, values
                weight *= places
            else:
                weight *= values

        def inner(place: int) -> range:
            block, place = (0, place) if slowest else divmod(place, below * places)
            mine, rest = divmod(place, below)
            own = taps(mine)
            if not slowest:
                start = own.start if own.start >= 0 else own.start % own.step
                own = range(start, min(own.stop, size), own.step)
            first = block * size * below + rest
            return range(first + own.start * below, first + own.stop * below, own.step * below)

        turns = (every, further) if slowest else (places, size)
        return grid.through(weight, inner, turns[0] * below, turns[1] * below), column

    def windowed(
        self, at: int, places: int, kernel: int, stride: int, padding: int, dilation: int = 1
    ) -> Seen:
        """With ``places`` windows of a convolution or a pool over a dimension."""
        wide = dilation * (kernel - 1) + 1

        def taps(place: int) -> range:
            first = place * stride - padding
            return range(first, first + wide, dilation)

        return self.slid(at, places, taps, 1, stride)

    def pooled(self, at: int, size: int, places: int) -> Seen:
        """With a dimension of a size in ``places`` windows, as even as can be."""

        def taps(place: int) -> range:
            return range(place * size // places, -(-(place + 1) * size // places))

        common = gcd(size, places)
        return self.slid(at, places, taps, places // common, size // common)

    def part(self, at: int, size: int, start: int, step: int = 1) -> Seen:
        """Every ``step``-th number along a dimension, so many from ``start`` on; places before 0 are padding."""
        if self.is_free(at):
            return self.with_dim(at, self.free(size))
        return self.slid(
            at, size, lambda place: range(start + place * step, start + place * step + 1), 1, step
        )

    def rolled(self, at: int, by: int) -> Seen:
        """Every number moved ``by`` places along a dimension, over the border where windows do not go on."""
        if self.is_free(at):
            return self
        seen = self.plain(at)
        ((size, weights),) = seen.dims[at]
        ways = []
        for order, (way, weight) in enumerate(zip(seen.ways, weights, strict=True)):
            grid = way.grid
            if weight and not (weight == 1 and seen.is_alone(order, at)):
                raise Unknown("it rolls places that are cut into parts")
            if weight and grid.shift is None:
                places = [grid.at((place - by) % size) for place in range(size)]
                grid = grid._replace(windows=tuple(places))
            elif weight:
                period = len(grid.windows)
                grid = grid._replace(windows=tuple(grid.at(p - by) for p in range(period)))
            ways.append(way._replace(grid=grid))
        return seen._replace(ways=tuple(ways))

    def unfolded(self, at: int, places: int, step: int, size: int, apart: int = 1) -> Seen:
        """With ``places`` windows of ``size`` along a dimension in two: which window, and where in it."""
        seen = self.plain(at)
        if seen.is_free(at):
            return seen.with_dim(at, seen.free(places), seen.free(size))
        ((_, weights),) = seen.dims[at]
        window = (places, tuple(weight * step for weight in weights))
        return seen.with_dim(at, (window,), ((size, tuple(weight * apart for weight in weights)),))

    def reshaped(self, shape: Shape) -> Seen:
        """The same numbers in another shape. Raises `Unknown` where it cuts across places."""
        if self.shape == shape:
            return self
        digits = [digit for dim in self.dims for digit in dim if digit[0] > 1]
        waiting = _joined(digits)[::-1]
        dims = []
        for size in shape:
            dim: list[Digit] = []
            while size > 1:
                values, weights = waiting.pop() if waiting else (0, ())
                if values and size % values == 0:
                    dim.append((values, weights))
                    size //= values
                elif values and values % size == 0:
                    below = values // size
                    dim.append((size, tuple(weight * below for weight in weights)))
                    waiting.append((below, weights))
                    size = 1
                else:
                    raise Unknown("a view cuts across places")
            dims.append(tuple(dim))
        return _settled(tuple(dims), self.ways)

    def permuted(self, order: Sequence[int]) -> Seen:
        """Its dimensions in another order; −1 is a batch of one."""
        return self._replace(dims=tuple(self.dims[at] if at >= 0 else () for at in order))

    def plain(self, at: int) -> Seen:
        """With one digit along a dimension, every value of it a place.

        One digit alone stays as it is. Raises `Unknown` where other dimensions have a part in where several stand.
        """
        dim = self.dims[at]
        if len(dim) == 1 and all([weight in (0, 1) for weight in dim[0][1]]):
            return self
        along = [way for way in range(len(self.ways)) if any([w[way] for _, w in dim])]
        if not all(self.is_alone(way, at) for way in along):
            if len(dim) == 1:
                return self  # one digit, some places apart
            raise Unknown("a window slides over places that are cut into parts")
        if not along:
            return self
        ways = list(self.ways)
        for way in along:
            places = [(values, weights[way]) for values, weights in dim]
            ways[way] = ways[way]._replace(grid=ways[way].grid.counted(places))
        weights = tuple(int(way in along) for way in range(len(ways)))
        size = prod(values for values, _ in dim)
        return Seen((*self.dims[:at], ((size, weights),), *self.dims[at + 1 :]), tuple(ways))

    # what comes of it

    def is_all(self, source: Seen) -> bool:
        """Whether every number sees all of the input that a source is, along every side."""
        whole = {way.side: way.grid for way in source.ways}
        sides = [
            way.side for way in self.ways if way.grid.is_one and way.grid.covers(whole[way.side])
        ]
        return len(sides) == len(self.ways) and {*sides} == whole.keys()

    @property
    def has_places(self) -> bool:
        """Whether its numbers still stand anywhere along the input, and are not of all of it."""
        return not all(map(self.is_free, range(len(self.dims))))

    @property
    def sees_alike(self) -> bool:
        """Whether all of its numbers see the same."""
        return bool(self.ways) and all(way.grid.is_one for way in self.ways)

    def loosened(self) -> Seen:
        """With no places along sides where all see alike."""
        weights_of = [not way.grid.is_one for way in self.ways]
        dims = tuple(
            tuple(
                (values, tuple(w * keep for w, keep in zip(weights, weights_of, strict=True)))
                for values, weights in dim
                if values > 1
            )
            for dim in self.dims
        )
        return self._replace(dims=dims)

    @property
    def map(self) -> tuple[int, Shape] | None:
        """Of a tensor that is a map its channels, and how many places along each side; None of others."""
        sizes = {way.side: 0 for way in self.ways}
        channels = 1
        for values, weights in (digit for dim in self.dims for digit in dim):
            sides = {way.side for way, weight in zip(self.ways, weights, strict=True) if weight}
            if len(sides) > 1:
                return None
            if sides:
                side = sides.pop()
                sizes[side] = values * (sizes[side] or 1)
            else:
                channels *= values
        if not all(sizes.values()):
            return None
        return channels, tuple(sizes[side] for side in sorted(sizes))

    def sides(self, dims: Sequence[int]) -> tuple[int, ...]:
        """The sides of the input that some dimensions stand along, in their order."""
        along = (
            way.side
            for at in dims
            for order, way in enumerate(self.ways)
            if any(weights[order] for _, weights in self.dims[at])
        )
        return tuple(dict.fromkeys(along))

    def along(self, side: int) -> Reach:
        """What the neurons see of one side, those that see most of it where several ways lead there."""
        own = [(order, way.grid) for order, way in enumerate(self.ways) if way.side == side]
        if len(own) == 1:
            ((order, grid),) = own
            digits = [
                (n, weights[order]) for dim in self.dims for n, weights in dim if weights[order]
            ]
            return _summary(digits, grid)
        flat = [digit for dim in self.dims for digit in dim]
        ways = [
            ([weights[at] for _, weights in flat], way.grid)
            for at, way in enumerate(self.ways)
            if way.side == side
        ]
        if not ways:
            return UNKNOWN
        (shared, grid), *others = ways
        for at, (values, _) in enumerate(flat):
            if any(weights[at] != shared[at] for weights, _ in others):
                together = []
                for weights, each in ways:
                    if weights[at]:
                        each = each.over(values, weights[at])
                    together.append(([*weights[:at], 0, *weights[at + 1 :]], each))
                (shared, grid), *others = ways = together
        digits = [(n, weight) for (n, _), weight in zip(flat, shared, strict=True) if weight]
        for _, other in others:
            grid = grid.either(other, 1 + sum((n - 1) * abs(weight) for n, weight in digits))
        return _summary(digits, grid)


def _summary(digits: list[tuple[int, int]], grid: Grid) -> Reach:
    """What neurons see whose places are counted by these digits."""
    if not digits:
        return Reach.of(grid.only(), 1)
    digits.sort(key=lambda digit: -abs(digit[1]))
    return Reach.of(grid.counted(digits), prod([values for values, _ in digits]))


def _joined(digits: Sequence[Digit]) -> list[Digit]:
    """The digits with neighbours as one where they count on."""
    result: list[Digit] = []
    for values, weights in digits:
        if result and all(
            before == values * weight for before, weight in zip(result[-1][1], weights, strict=True)
        ):
            result[-1] = (result[-1][0] * values, weights)
        else:
            result.append((values, weights))
    return result


def _settled(dims: tuple[Dim, ...], ways: tuple[Way, ...]) -> Seen:
    """A tensor with no more ways into it than needed, those that see alike everywhere of one place."""
    flat = [digit for dim in dims for digit in dim]
    sizes = [values for values, _ in flat]
    waiting = [
        (way, [weights[at] for _, weights in flat]) for at, way in reversed([*enumerate(ways)])
    ]
    kept: list[tuple[Way, list[int]]] = []
    while waiting:
        way, weights = waiting.pop()
        if not any(weights) and way.grid.shift != 0:
            way = way._replace(grid=way.grid.only())
        for at, (other, others) in enumerate(kept):
            if other.side == way.side:
                both = _both((other, others), (way, weights), sizes)
                if both:
                    del kept[at]
                    waiting.append(both)
                    break
        else:
            kept.append((way, weights))
    if len(kept) > MOST_WAYS:
        raise Unknown("too many branches of unlike places meet")
    columns = zip(*(weights for _, weights in kept), strict=True)
    order = iter(columns) if kept else iter([()] * len(flat))
    made = tuple(tuple((values, next(order)) for values, _ in dim) for dim in dims)
    return Seen(made, tuple(way for way, _ in kept))


def _both(
    one: tuple[Way, list[int]], other: tuple[Way, list[int]], sizes: Sequence[int]
) -> tuple[Way, list[int]] | None:
    """Two ways from one side as one; None where neither's places are those of the other."""
    (a, ours), (b, theirs) = one, other
    if a.grid.is_one and a.grid.covers(b.grid):
        return a, ours if any(ours) else theirs
    if b.grid.is_one and b.grid.covers(a.grid):
        return b, theirs if any(theirs) else ours
    if ours == theirs:
        extent = 1 + sum((size - 1) * abs(weight) for size, weight in zip(sizes, ours, strict=True))
        return a._replace(grid=a.grid.either(b.grid, extent)), ours
    mine = {at for at, weight in enumerate(ours) if weight}
    yours = {at for at, weight in enumerate(theirs) if weight}
    if not (mine <= yours or yours <= mine):
        return None
    leading = ours if mine >= yours else theirs
    order = sorted(mine | yours, key=lambda at: -abs(leading[at]))
    grids = [
        each.grid.counted([(sizes[at], weights[at]) for at in order])
        for each, weights in ((a, ours), (b, theirs))
    ]
    places = prod(sizes[at] for at in order)
    counted = [0] * len(sizes)
    weight = 1
    for at in reversed(order):
        counted[at] = weight
        weight *= sizes[at]
    return a._replace(grid=grids[0].either(grids[1], places)), counted


def one(seen: Sequence[Seen | None]) -> Seen:
    """The first that sees anything of the input."""
    return next(each for each in seen if each is not None)


def united(seen: Sequence[Seen | None], shape: Shape) -> Seen:
    """Of numbers each made of those in its place in all of these, spread to a shape; None sees nothing."""
    some = [each for each in seen if each is not None]
    first, *others = some
    if all(other is first for other in others):
        return first.like(shape)
    if len(some) == 2 and first.dims == others[0].dims and first.shape == shape:
        pairs = [*zip(first.ways, others[0].ways, strict=False)]
        if len(first.ways) == len(others[0].ways) and all(a.side == b.side for a, b in pairs):
            period = [len(grid.windows) for pair in pairs for _, grid in pair]
            even = all(a.grid.shift == b.grid.shift is not None for a, b in pairs)
            if even and max(period, default=1) == 1:
                ways = (a._replace(grid=a.grid.either(b.grid, 1)) for a, b in pairs)
                return first._replace(ways=tuple(ways))
    spread = [each.like(shape) for each in some]
    for at in range(len(shape)):
        parts = _refined(spread, at)
        if parts is None:
            spread = [each.plain(at) for each in spread]
            parts = _refined(spread, at)
        if parts is None:
            raise Unknown("places that are cut into unlike parts meet")
        spread = [each.with_dim(at, part) for each, part in zip(spread, parts, strict=True)]
    dims = tuple(
        tuple(
            (digits[0][0], tuple(weight for _, weights in digits for weight in weights))
            for digits in zip(*dim, strict=True)
        )
        for dim in zip(*(each.dims for each in spread), strict=True)
    )
    return _settled(dims, tuple(way for each in spread for way in each.ways))


def _refined(seen: Sequence[Seen], at: int) -> list[Dim] | None:
    """A dimension of several tensors in digits of the same values; None where no digits fit."""
    dims = [each.dims[at] for each in seen]
    if len({tuple(values for values, _ in dim) for dim in dims}) == 1:
        return [*dims]
    size = seen[0].shape[at]
    if size == 1:
        return [dim or ((1, (0,) * len(each.ways)),) for dim, each in zip(dims, seen, strict=True)]
    below = {1, size}
    for dim in dims:
        low = 1
        for values, _ in reversed(dim):
            low *= values
            below.add(low)
    steps = sorted(below)
    if any(b % a for a, b in pairwise(steps)):
        return None
    result = []
    for dim in dims:
        parts: list[Digit] = []
        low = 1
        for values, weights in reversed(dim):
            for a, b in pairwise(steps):
                if low <= a < low * values:
                    parts.append((b // a, tuple(weight * (a // low) for weight in weights)))
            low *= values
        result.append(tuple(reversed(parts)))
    return result


def joined(seen: Sequence[Seen | None], sizes: Sequence[int], at: int, shape: Shape) -> Seen:
    """Of tensors one behind another along a dimension, ``sizes`` long there.

    Numbers along it that stand nowhere else, as channels, are taken together.
    """
    some = [each for each in seen if each is not None]
    if all(each.is_free(at) for each in some):
        return united([each.with_dim(at, each.free(shape[at])) for each in some], shape)
    if shape[at] > MOST_WINDOWS:
        raise Unknown(f"more than {MOST_WINDOWS:,} unlike windows along a side are not kept")
    parts = [each and each.plain(at) for each in seen]
    for each in parts:
        for way, weight in enumerate(each.dims[at][0][1] if each and each.dims[at] else ()):
            if each and weight and not (weight == 1 and each.is_alone(way, at)):
                raise Unknown("places that are cut into parts are joined")
    along = {
        way.side
        for each in parts if each
        for way, weight in zip(each.ways, each.dims[at][0][1] if each.dims[at] else (), strict=False)
        if weight
    }  # fmt: skip
    rest, grids = [], []
    for each in parts:
        if each is not None:
            others = [way for way, own in enumerate(each.ways) if own.side not in along]
            dims = tuple(
                tuple((values, tuple(weights[way] for way in others)) for values, weights in dim)
                for dim in each.dims
            )
            left = Seen(dims, tuple(each.ways[way] for way in others))
            rest.append(left.with_dim(at, left.free(shape[at])))
    whole = united(rest, shape)
    for side in sorted(along):
        if len(parts) == 2 and all(parts):
            grid = _continued([each for each in parts if each], sizes, side)
            if grid:
                grids.append(Way(side, grid))
                continue
        windows: list[Span | None] = []
        inside: Span = (1 << 60, -1)
        for each, size in zip(parts, sizes, strict=True):
            own = [way for way in each.ways if way.side == side] if each else []
            if not own:
                windows += [None] * size
                continue
            if len(own) > 1 or each is None:
                raise Unknown("branches of unlike places are joined")
            way = each.ways.index(own[0])
            here = bool(each.dims[at]) and any(weights[way] for _, weights in each.dims[at])
            if not here and own[0].grid.shift != 0:
                raise Unknown("branches of unlike places are joined")
            windows += [own[0].grid.at(place * here) for place in range(size)]
            inside = min(inside[0], own[0].grid.inside[0]), max(inside[1], own[0].grid.inside[1])
        if len({*windows}) == 1:
            grids.append(Way(side, Grid((windows[0],), 0, inside)))
        else:
            grids.append(Way(side, Grid(tuple(windows), None, inside)))
    dims = tuple(
        tuple((values, (*weights, *(int(place == at) for _ in grids))) for values, weights in dim)
        for place, dim in enumerate(whole.dims)
    )
    return _settled(dims, (*whole.ways, *grids))


def _continued(parts: Sequence[Seen], sizes: Sequence[int], side: int) -> Grid | None:
    """The windows of two parts of one grid, put together again as they were, or each in the other's place: rolled.

    None where they are not.
    """
    ways = [[way.grid for way in each.ways if way.side == side] for each in parts]
    if any(len(way) != 1 for way in ways):
        return None
    (first,), (second,) = ways
    if not (first.shift and second.shift) or len(first.windows) != len(second.windows):
        return None
    period, places = len(first.windows), sum(sizes)
    between = set()
    for place in range(period):
        next_one, own = first.at(sizes[0] + place), second.at(place)
        if next_one is None or own is None:
            return None
        between |= {next_one[0] - own[0], next_one[1] - own[1]}
    if between == {0}:
        return first._replace(inside=hull(first.inside, second.inside) or first.inside)
    if first.shift != second.shift or {period * step for step in between} != {places * first.shift}:
        return None
    inside = hull(first.inside, second.inside) or first.inside
    if sizes[0] >= sizes[1]:
        return first._replace(inside=inside)
    moved = second.through(places, lambda place: range(place - sizes[0], place - sizes[0] + 1))
    return moved._replace(inside=inside)


class Reach(NamedTuple):
    """What the neurons of a layer see of one side of the input, in pixels.

    There are neurons at so many ``places``. The first one's window begins at ``start``, which is negative in the padding; the largest has
    ``size`` pixels, 0 where that is not known, and ``why`` says for what. Each later neuron sees ``stride`` further, as a
    mean where windows repeat by several (0: unevenly, or all see alike).
    """

    start: int
    size: int
    stride: int
    places: int = 1
    grid: Grid = Grid(((0, 0),), 1, (0, 0))
    why: str = ""

    @classmethod
    def of(cls, grid: Grid, places: int) -> Reach:
        """Of so many places of a grid."""
        period = len(grid.windows)
        if period == 1 and grid.windows[0] and grid.shift is not None:
            first, last = grid.windows[0]
            return cls(first, last - first + 1, abs(grid.shift), places, grid)
        windows = [window for window in grid.windows[:places] if window]
        if not windows:
            return UNKNOWN
        size = max([last - first for first, last in windows]) + 1
        stride = 0
        if grid.shift is not None and grid.shift % period == 0:
            stride = abs(grid.shift) // period
        start, _ = grid.windows[0] or windows[0]
        return cls(start, size, stride, places, grid)

    @property
    def is_even(self) -> bool:
        """Whether every neuron sees as much as the first, equally far apart."""
        return self.stride > 0 and len(self.grid.windows) == 1

    @property
    def centre(self) -> float:
        """The middle of the first neuron's window: a pixel, or half way between two."""
        first, last = self.grid.at(0) or (self.start, self.start + self.size - 1)
        return (first + last) / 2 if (first + last) % 2 else (first + last) // 2

    def seen(self, neuron: int) -> Span:
        """First and last pixel of the input that a neuron sees; the last before the first where it sees none."""
        window = self.grid.at(neuron) or (1, 0)
        return max(window[0], self.grid.inside[0]), min(window[1], self.grid.inside[1])


UNKNOWN = Reach(0, 0, 0)
"""Of neurons behind an operation that nobody has described."""
