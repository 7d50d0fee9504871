"""Where the numbers of a tensor go that a layer moves and does not change: views, slices, rolls, padding, joins."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import NamedTuple, Protocol

from resnet_cli.layers.arithmetic import Shape
from resnet_cli.layers.grid import Unknown
from resnet_cli.layers.reach import Seen, joined, one, united


class Move(Protocol):
    """A way of moving numbers; ``x`` are the shapes of all tensors read, ``y`` that of the output."""

    def seen(self, seen: Sequence[Seen | None], x: Sequence[Shape], y: Shape) -> Seen:
        """What the numbers see where they come to. Raises `Unknown`."""


class Kept(NamedTuple):
    """Every number stays where it is, or is spread to a larger shape."""

    def seen(self, seen: Sequence[Seen | None], x: Sequence[Shape], y: Shape) -> Seen:
        return united(seen, y)


class Rearranged(NamedTuple):
    """Taken for a tensor of the shape ``inner``, its dimensions put in an ``order``, the result given the output's shape.

    Without these a plain view. In an order −1 is a batch of one. Rogozhnikov 2022, "Einops".
    """

    inner: Shape = ()
    order: tuple[int, ...] = ()

    def seen(self, seen: Sequence[Seen | None], x: Sequence[Shape], y: Shape) -> Seen:
        own = one(seen)
        if self.inner:
            own = own.reshaped(self.inner)
        if self.order:
            own = own.permuted(self.order)
        return own if own.shape == y else own.reshaped(y)


class Part(NamedTuple):
    """Every ``step``-th along a dimension from ``start`` on, which is negative where it is padded; or one, without the dimension."""

    dim: int
    start: int
    step: int = 1

    def seen(self, seen: Sequence[Seen | None], x: Sequence[Shape], y: Shape) -> Seen:
        own = one(seen)
        size = y[self.dim] if len(y) == len(x[0]) else 1
        return own.part(self.dim, size, self.start, self.step).laid(y)


class Padded(NamedTuple):
    """So many zeros or copies ``before`` the first along each dimension, fewer than none where it is cut."""

    before: tuple[int, ...]

    def seen(self, seen: Sequence[Seen | None], x: Sequence[Shape], y: Shape) -> Seen:
        own = one(seen).like(x[0])
        for dim, before in enumerate(self.before):
            if before or x[0][dim] != y[dim]:
                own = own.part(dim, y[dim], -before)
        return own


class Rolled(NamedTuple):
    """Moved by so many places along each of some dimensions, over the border."""

    by: tuple[tuple[int, int], ...]

    def seen(self, seen: Sequence[Seen | None], x: Sequence[Shape], y: Shape) -> Seen:
        own = one(seen)
        for dim, places in self.by:
            own = own.rolled(dim, places)
        return own


class Flipped(NamedTuple):
    """In reverse along some dimensions."""

    dims: tuple[int, ...]

    def seen(self, seen: Sequence[Seen | None], x: Sequence[Shape], y: Shape) -> Seen:
        own = one(seen)
        for dim in self.dims:
            own = own.part(dim, y[dim], y[dim] - 1, -1)
        return own


class Joined(NamedTuple):
    """Tensors one behind another along a dimension, which ``new`` ones have not."""

    dim: int
    new: bool = False

    def seen(self, seen: Sequence[Seen | None], x: Sequence[Shape], y: Shape) -> Seen:
        some = seen
        if self.new:
            shape = (*y[: self.dim], 1, *y[self.dim + 1 :])
            some = [each and each.reshaped(shape) for each in seen]
        sizes = [1 if self.new else shape[self.dim] for shape in x]
        if sum(sizes) != y[self.dim]:
            raise Unknown("not all of what is joined is known")
        return joined(some, sizes, self.dim, y)


class Repeated(NamedTuple):
    """All of it again and again along each dimension; or every number, where ``each``."""

    each: bool = False

    def seen(self, seen: Sequence[Seen | None], x: Sequence[Shape], y: Shape) -> Seen:
        own = one(seen)
        missing = len(y) - len(x[0])
        dims = list(own.like((*(1,) * missing, *x[0])).dims)
        ways = len(own.ways)
        for dim, size in enumerate(y):
            before = prod(values for values, _ in dims[dim])
            if size % before:
                raise Unknown("it is repeated unevenly")
            if size > before:
                more = ((size // before, (0,) * ways),)
                dims[dim] = (*dims[dim], *more) if self.each else (*more, *dims[dim])
        return own._replace(dims=tuple(dims))


class Unfolded(NamedTuple):
    """Windows of ``size`` along a dimension, ``step`` apart, each along a last dimension (torch's Tensor.unfold)."""

    dim: int
    size: int
    step: int

    def seen(self, seen: Sequence[Seen | None], x: Sequence[Shape], y: Shape) -> Seen:
        own = one(seen).unfolded(self.dim, y[self.dim], self.step, self.size)
        last = self.dim + 1
        order = [at for at in range(len(own.dims)) if at != last]
        return own.permuted([*order, last])


class Columns(NamedTuple):
    """A map's windows as columns, channels and places of a window along the first dimension (im2col)."""

    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]

    def seen(self, seen: Sequence[Seen | None], x: Sequence[Shape], y: Shape) -> Seen:
        own = one(seen).like(x[0])
        for side, (kernel, stride, padding, dilation) in enumerate(zip(*self, strict=True)):
            dim = 1 + 2 * side
            size = x[0][1 + side] + 2 * padding
            own = own.part(dim, size, -padding)
            places = (size - dilation * (kernel - 1) - 1) // stride + 1
            own = own.unfolded(dim, places, stride, kernel, dilation)
        channels, high, across, down, right = own.dims
        return own._replace(dims=((*channels, *across, *right), (*high, *down)))


class Untold(NamedTuple):
    """To where numbers say that are not read: ``why``. What sees alike everywhere is seen wherever it comes to."""

    why: str

    def seen(self, seen: Sequence[Seen | None], x: Sequence[Shape], y: Shape) -> Seen:
        some = [each for each in seen if each is not None]
        if not all(each.sees_alike for each in some):
            raise Unknown(self.why)
        return united([each.over(*range(len(each.dims))) for each in some], y)
