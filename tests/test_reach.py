"""What numbers see of the input: the arithmetic of axes beside sets of pixels, networks beside gradients."""

from itertools import product
from math import prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resnet_cli.layers import moves
from resnet_cli.layers.reach import Seen, Unknown, joined, united
from resnet_cli.layers.windows import Resize, Window


def places(shape):
    return [*product(*map(range, shape))]


def seen_of(seen, place):
    """First and last pixel that a number sees of each side; None where it sees nothing."""
    flat = []
    for at, dim in zip(place, seen.dims, strict=True):
        values = []
        for n, weights in reversed(dim):
            at, digit = divmod(at, n)
            values.append((digit, weights))
        flat += values
    spans = {}
    for order, (side, grid) in enumerate(seen.ways):
        window = grid.at(sum(digit * weights[order] for digit, weights in flat))
        if window:
            first, last = max(window[0], grid.inside[0]), min(window[1], grid.inside[1])
            if first <= last:
                spans[side] = [*spans.get(side, []), first, last]
    return {side: (min(span), max(span)) for side, span in spans.items()}


class Pixels:
    """A tensor of sets of pixels, to which is done what is done to a `Seen`, each number by itself."""

    def __init__(self, shape, numbers):
        self.shape, self.numbers = tuple(shape), numbers

    @classmethod
    def of_input(cls, shape):
        return cls(shape, {at: {at} for at in places(shape)})

    def taken(self, shape, sources):
        """A tensor whose numbers see what all those see at ``sources`` of their places."""
        numbers = {}
        for at in places(shape):
            numbers[at] = set().union(*(self.numbers.get(source, ()) for source in sources(at)))
        return Pixels(shape, numbers)

    def along(self, dim, size, sources):
        shape = (*self.shape[:dim], size, *self.shape[dim + 1 :])
        return self.taken(
            shape, lambda at: [(*at[:dim], source, *at[dim + 1 :]) for source in sources(at[dim])]
        )

    def windowed(self, dim, size, k, s, p, d):
        return self.along(dim, size, lambda q: [q * s - p + d * t for t in range(k)])

    def transposed(self, dim, size, k, s, p, d):
        n = self.shape[dim]
        return self.along(
            dim, size, lambda q: [j for j in range(n) for t in range(k) if j * s - p + t * d == q]
        )

    def pooled(self, dim, size):
        n = self.shape[dim]
        return self.along(
            dim, size, lambda q: range(q * n // size, -(-(q + 1) * n // size))
        )

    def reshaped(self, shape):
        return Pixels(shape, dict(zip(places(shape), (self.numbers[at] for at in places(self.shape)), strict=True)))

    def permuted(self, order):
        shape = [self.shape[at] for at in order]
        back = sorted(range(len(order)), key=lambda at: order[at])
        return self.taken(shape, lambda at: [tuple(at[place] for place in back)])

    def over(self, dim):
        return self.along(dim, 1, lambda _: range(self.shape[dim]))

    def alike(self, dim):
        return self.along(dim, self.shape[dim], lambda _: range(self.shape[dim]))


def check(seen, pixels, gaps=False):
    """Every number sees from the first to the last of its pixels, of each side.

    Numbers of padding alone see nothing, of which nothing is said. With ``gaps``, windows over padding
    that leave out places between, it may be more at the border.
    """
    assert seen.shape == pixels.shape
    for at in places(pixels.shape):
        truth = {
            side: (min(p[side] for p in own), max(p[side] for p in own))
            for own in [pixels.numbers[at]] if own for side in range(len(next(iter(own))))
        }
        own = seen_of(seen, at)
        if not truth:
            continue
        if gaps:
            assert all(own[s][0] <= first and own[s][1] >= last for s, (first, last) in truth.items())
        else:
            assert own == truth, at


@st.composite
def steps(draw):
    """Two to six steps of a network."""
    kinds = ["window", "window", "pool", "transposed", "resize", "slice", "pad", "flip", "windows", "over", "alike"]
    return [
        (draw(st.sampled_from(kinds)), draw(st.integers(0, 1)), *(draw(st.integers(0, 9)) for _ in range(4)))
        for _ in range(draw(st.integers(1, 5)))
    ]


def step(seen, pixels, kind, dim, a, b, c, d):
    """A step of both, or None where it does not fit."""
    if dim >= len(seen.shape):
        return None
    n = seen.shape[dim]
    shape = lambda size: (*seen.shape[:dim], size, *seen.shape[dim + 1 :])
    if kind == "window":
        k, s = a % 4 + 1, b % 3 + 1
        p = c % (k // 2 + 1)
        size = (n + 2 * p - k) // s + 1
        if size < 1:
            return None
        return seen.windowed(dim, size, k, s, p), pixels.windowed(dim, size, k, s, p, 1)
    if kind == "pool":
        size = a % n + 1
        return seen.pooled(dim, n, size), pixels.pooled(dim, size)
    if kind == "transposed":
        k, s = a % 4 + 1, b % 3 + 1
        p = min(c % 2, k - 1)
        size = (n - 1) * s - 2 * p + k
        if size < 1 or size > 40 or k < s:
            return None
        y = shape(size)
        window = Window((1,) * dim + (k,) + (1,) * (len(y) - dim - 1), (1,) * dim + (s,) + (1,) * (len(y) - dim - 1),
                        (0,) * dim + (p,) + (0,) * (len(y) - dim - 1), (1,) * len(y))
        return window.transposed(seen, y), pixels.transposed(dim, size, k, s, p, 1)
    if kind == "resize":
        size = a * n // 4 + 1
        y = shape(size)
        anchor = ("edge", "centre", "corners")[b % 3]
        taps = c % 2 + 1
        if taps == 1 and anchor == "corners":
            return None
        layer = Resize("x", "x", y, taps, len(y), anchor)
        sources = lambda q: resized(q, n, size, taps, anchor)
        return layer.reach([seen], (seen.shape,), y), pixels.along(dim, size, sources)
    if kind == "slice":
        start, pace = a % n, b % 3 + 1
        size = (n - start - 1) // pace + 1
        size = max(size - c % 3, 1)
        move = moves.Part(dim, start, pace)
        y = shape(size)
        return move.seen([seen], [seen.shape], y), pixels.along(dim, size, lambda q: [start + pace * q])
    if kind == "pad":
        before, after = a % 3, b % 3
        y = shape(n + before + after)
        padded = [0] * len(y)
        padded[dim] = before
        return moves.Padded(tuple(padded)).seen([seen], [seen.shape], y), pixels.along(dim, y[dim], lambda q: [q - before])
    if kind == "flip":
        return moves.Flipped((dim,)).seen([seen], [seen.shape], seen.shape), pixels.along(dim, n, lambda q: [n - 1 - q])
    if kind == "windows":
        size = a % 3 + 2
        if n % size or len(seen.shape) > 3:
            return None
        inner = (*seen.shape[:dim], n // size, size, *seen.shape[dim + 1 :])
        order = [dim, *(at for at in range(len(inner)) if at != dim)] if b % 2 else [*range(len(inner))]
        return seen.reshaped(inner).permuted(order), pixels.reshaped(inner).permuted(order)
    if kind == "over":
        return (seen.over(dim), pixels.over(dim)) if a % 3 == 0 else None
    return seen.alike(dim), pixels.alike(dim)


def resized(q, n, size, taps, anchor):
    """Where an output of a resizing reads, as torch's documentation has it, with numbers at the border again."""
    from fractions import Fraction
    from math import floor

    if anchor == "corners":
        at = Fraction(q * (n - 1), size - 1) if size > 1 else Fraction(0)
    else:
        at = Fraction(2 * q + 1, 2) * Fraction(n, size) - Fraction(1, 2) if anchor == "centre" else Fraction(q * n, size)
    if taps == 1:
        sources = [floor(at + Fraction(1, 2))] if anchor == "centre" else [floor(at)]
    else:
        sources = [floor(at)] + ([floor(at) + 1] if at != floor(at) else [])
    return [min(max(source, 0), n - 1) for source in sources]


@settings(max_examples=4000, deadline=None)
@given(shape=st.tuples(st.integers(1, 12), st.integers(1, 5)), steps=steps())
def test_any_steps_see_what_sets_of_pixels_say(shape, steps):
    """Windows, pools, resizing, slices, padding, cuts into windows, one after another: each number, each side."""
    seen, pixels = Seen.of_input(shape, range(len(shape))), Pixels.of_input(shape)
    kinds = set()
    for each in steps:
        try:
            both = step(seen, pixels, *each)
        except Unknown:
            break
        if both is None:
            continue
        seen, pixels = both
        if prod(seen.shape) > 600:
            break
        kinds.add(each[0])
        check(seen, pixels, "windows" in kinds and kinds & {"pad", "window", "transposed"})
