"""How a tensor's numbers lie: whether another shape is a view of them, or torch copies them first."""

from __future__ import annotations

from itertools import accumulate
from math import prod
from operator import mul
from typing import NamedTuple

from resnet_cli.layers.arithmetic import Shape


class Laid(NamedTuple):
    """Sizes, and along each side how many numbers further the next one lies."""

    sizes: Shape
    strides: tuple[int, ...]

    def spread(self, sizes: Shape) -> Laid:
        """Broadcast: along a side that it does not have the next number is the same one."""
        new = len(sizes) - len(self.sizes)
        strides = (
            stride if own == size else 0
            for own, size, stride in zip(self.sizes, sizes[new:], self.strides, strict=True)
        )
        return Laid(sizes, (*((0,) * new), *strides))

    def turned(self, *order: int) -> Laid:
        """With its sides in another order."""
        return Laid(tuple(self.sizes[at] for at in order), tuple(self.strides[at] for at in order))

    def dense(self) -> Laid:
        """Those of a new tensor made in the same order, the farthest side first."""
        order = sorted(range(len(self.sizes)), key=lambda at: -self.strides[at])
        after = plain(tuple(self.sizes[at] for at in order)).strides
        return Laid(self.sizes, tuple(after[order.index(at)] for at in range(len(order))))

    def lies_as(self, other: Laid) -> bool:
        """Whether all numbers are where those of another one are."""
        sides = zip(self.sizes, self.strides, other.strides, strict=True)
        return all(own == its or size == 1 for size, own, its in sides)

    def views(self, sizes: Shape) -> bool:
        """Whether other sizes are a view: they end wherever sides do that do not lie one in another."""
        ends = {*accumulate(reversed(sizes), mul, initial=1)}
        inner = next_far = 1
        for size, stride in zip(reversed(self.sizes), reversed(self.strides), strict=True):
            if size == 1:
                continue
            if inner > 1 and stride != next_far and inner not in ends:
                return False
            inner, next_far = inner * size, stride * size
        return True

    def copied_as(self, sizes: Shape) -> int:
        """How many numbers are copied to have them in other sizes: none where a view does."""
        return 0 if self.views(sizes) else prod(sizes)


def plain(sizes: Shape) -> Laid:
    """Numbers in the order of their places, as a new tensor has them."""
    return Laid(sizes, (*accumulate(reversed(sizes[1:]), mul, initial=1),)[::-1] if sizes else ())


def of_product(x: Laid, y: Laid, learned: bool) -> tuple[int, int]:
    """How many numbers torch copies of either factor of a `matmul`, before it multiplies matrices or batches of them.

    ``learned``: whether the smaller one has a gradient, which decides where one of the two is a matrix or vector.
    """
    ranks = len(x.sizes), len(y.sizes)
    if max(ranks) < 3:
        return (0, 0)
    if ranks == (3, 3) and x.sizes[0] != y.sizes[0]:
        if x.sizes[0] == 1:
            return of_product(x.turned(1, 2), y, learned)
        if y.sizes[0] == 1:
            return of_product(x, y.turned(1, 2), learned)
    if min(ranks) < 3:
        larger = x if ranks[0] >= ranks[1] else y.turned(*range(ranks[1] - 2), -1, -2)
        copied = larger.copied_as((prod(larger.sizes[:-1]), larger.sizes[-1]))
        if learned or (ranks[0] != 2 and not copied):
            return (copied, 0) if larger is x else (0, copied)
    if ranks[1] == 1:
        y = Laid((*y.sizes, 1), (*y.strides, 1))
    if ranks[0] == 1:
        x = Laid((1, *x.sizes), (1, *x.strides))
    batches = broadcast(x.sizes[:-2], y.sizes[:-2])
    first, second = (
        each.spread((*batches, *each.sizes[-2:])).copied_as((prod(batches), *each.sizes[-2:]))
        for each in (x, y)
    )
    return (first, second)


def of_einsum(equation: str, x: Laid, y: Laid) -> tuple[int, int]:
    """How many numbers torch copies of either factor of an `einsum`, which it makes a product of batches."""
    before, _, after = equation.replace(" ", "").partition("->")
    left, right = before.split(",")
    summed = sorted({*left, *right} - {*after})
    both = [letter for letter in after if letter in left and letter in right]

    def copied(own: str, laid: Laid, summed_last: bool) -> int:
        alone = [letter for letter in after if letter in own and letter not in both]
        inner = [letter for letter in summed if letter in own]
        groups = (both, alone, inner) if summed_last else (both, inner, alone)
        order = [own.index(letter) for group in groups for letter in group]
        sizes = tuple(prod(laid.sizes[own.index(letter)] for letter in group) for group in groups)
        return laid.turned(*order).copied_as(sizes)

    return copied(left, x, True), copied(right, y, False)


def broadcast(x: Shape, y: Shape) -> Shape:
    """The sizes that two are spread to."""
    rank = max(len(x), len(y))
    pairs = zip((1,) * (rank - len(x)) + x, (1,) * (rank - len(y)) + y, strict=True)
    return tuple(max(pair) for pair in pairs)
