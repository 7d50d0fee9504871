"""Layers that give numbers another shape and compute nothing."""

from __future__ import annotations

from collections.abc import Sequence

from resnet_cli.layers.arithmetic import Factor, Product, Shape, Size
from resnet_cli.layers.base import Fresh, Kept, Layer, Module, OfGraph, Saves, Unweighted, elements
from resnet_cli.layers.grid import Unknown
from resnet_cli.layers.moves import Kept as Staying
from resnet_cli.layers.moves import Move, Rearranged, Rolled
from resnet_cli.layers.reach import Seen, one

VIEWED = Rearranged()
IN_PLACE = Staying()


class Viewing(Layer):
    """Layers that put out the numbers of their input where they are: no storage, no arithmetic."""

    def operations(self, x: tuple[Shape, ...], y: Shape) -> int:
        return 0

    def saves(self, x: tuple[Shape, ...], y: Shape) -> Saves:
        return Saves("the gradient is handed on as it is")

    def shares(self, training: bool, inplace: bool) -> bool:
        return True

    def hands_on(self, at: int) -> bool:
        return True


class Flatten(Viewing, Unweighted, Fresh):
    """(c, h, w) -> (c·h·w,), a view."""

    operator = "flatten"

    def output_shape(self, *x: Shape) -> Shape:
        return (elements(x[0]),)

    def sizes(self, x: Shape) -> tuple[Size, ...]:
        return (Size("c·h·w", "·".join(map(str, x)), elements(x)),)

    def reach(self, seen: Sequence[Seen | None], x: tuple[Shape, ...], y: Shape) -> Seen:
        own = one(seen)
        whole = own.over(*range(len(own.dims)))
        return whole._replace(dims=(whole.free(y[0]),))

    def module(self) -> Module:
        return Module("Flatten")


class ChannelsLast(Viewing, Unweighted, Fresh):
    """(c, h, w) -> (h, w, c), a view; ``back``: the other way."""

    operator = "permutation"

    def __init__(self, name: str, back: bool = False) -> None:
        super().__init__(name)
        self.back = back

    @property
    def order(self) -> tuple[int, int, int]:
        """Which side of the input each side of the output is."""
        return (2, 0, 1) if self.back else (1, 2, 0)

    def output_shape(self, *x: Shape) -> Shape:
        first, second, third = self.order
        return (x[0][first], x[0][second], x[0][third])

    def sizes(self, x: Shape) -> tuple[Size, ...]:
        return tuple(Size("n", f"{side}", side) for side in self.output_shape(x)[1:])

    def reach(self, seen: Sequence[Seen | None], x: tuple[Shape, ...], y: Shape) -> Seen:
        return one(seen).permuted(self.order)

    def module(self) -> Module:
        return Module("ChannelsLast", self.fields(), {"back": False})


class PadShortcut(Unweighted, Fresh):
    """Option A (He et al. 2015, Sec. 3.3): every stride-th pixel, new channels filled with zeros.

    They stand behind its own, or with ``both`` half of them before.
    """

    operator = "zero padding"
    on_shortcut = "zero padding"

    def __init__(self, name: str, out_channels: int, stride: int, both: bool = False) -> None:
        super().__init__(name)
        self.out_channels, self.stride, self.both = out_channels, stride, both

    def output_shape(self, *x: Shape) -> Shape:
        _, height, width = x[0]
        return (self.out_channels, -(-height // self.stride), -(-width // self.stride))

    def sizes(self, x: Shape) -> tuple[Size, ...]:
        return tuple(Size("⌈n / s⌉", f"⌈{n} / {self.stride}⌉", -(-n // self.stride)) for n in x[1:])

    def operations(self, x: tuple[Shape, ...], y: Shape) -> int:
        return 0

    def saves(self, x: tuple[Shape, ...], y: Shape) -> Saves:
        return Saves("the gradient is handed on to where its numbers were")

    def held_backward(self, x: tuple[Shape, ...], y: Shape) -> tuple[Kept, ...]:
        """The gradient with its columns spread out, before its rows are."""
        ((channels, _, width),) = x
        return (Kept(channels * y[1] * width),) if self.stride > 1 else ()

    def reach(self, seen: Sequence[Seen | None], x: tuple[Shape, ...], y: Shape) -> Seen:
        own = one(seen).part(1, y[1], 0, self.stride).part(2, y[2], 0, self.stride)
        return own.mixed(0, y[0])

    def module(self) -> Module:
        return Module("ZeroPadding", self.fields(), {"both": False})

    def figure(self, x: Shape, y: Shape) -> str:
        return "zero padding" + (f", /{self.stride}" if self.stride > 1 else "")


class View(Viewing, Unweighted, OfGraph):
    """The same numbers in another shape or order, or some of them: no storage, no arithmetic.

    ``move`` says where each comes to. ``copied``: their order in memory does not allow the shape, and torch
    copies them.
    """

    def __init__(
        self, name: str, operator: str, shape: Shape, move: Move = VIEWED, copied: bool = False
    ) -> None:
        super().__init__(name, operator, shape)
        self.move, self.copied = move, copied

    def shares(self, training: bool, inplace: bool) -> bool:
        return not self.copied

    def reach(self, seen: Sequence[Seen | None], x: tuple[Shape, ...], y: Shape) -> Seen:
        return self.move.seen(seen, x, y)


class Copy(Unweighted, OfGraph):
    """Numbers copied into a new tensor: joined, padded, rolled, gathered, cast; no arithmetic.

    ``move`` says where each comes to. ``indices`` are the places of inputs that say which numbers are taken.
    """

    def __init__(
        self, name: str, operator: str, shape: Shape, move: Move = IN_PLACE,
        indices: tuple[int, ...] = (),
    ) -> None:  # fmt: skip
        super().__init__(name, operator, shape)
        self.move, self.indices = move, indices

    @property
    def wraps(self) -> bool:  # type: ignore[override]
        return isinstance(self.move, Rolled)

    def operations(self, x: tuple[Shape, ...], y: Shape) -> int:
        return 0

    def saves(self, x: tuple[Shape, ...], y: Shape) -> Saves:
        why = "the gradient is handed on to where its numbers were"
        return Saves(why, self.indices, indices=self.indices)

    def reach(self, seen: Sequence[Seen | None], x: tuple[Shape, ...], y: Shape) -> Seen:
        return self.move.seen(seen, x, y)


class Stored(Unweighted, OfGraph):
    """A tensor of the network that an operator reads as it is: a parameter, else a buffer or constant."""

    def __init__(
        self, name: str, operator: str, shape: Shape, stored: Shape, learned: bool
    ) -> None:
        super().__init__(name, operator, shape)
        self.stored, self.learned = stored, learned

    def tensors(self) -> dict[str, Product]:
        return {"": tuple(Factor("n", side) for side in self.stored)} if self.learned else {}

    def buffers(self) -> dict[str, Shape]:
        return {} if self.learned else {"": self.stored}

    def operations(self, x: tuple[Shape, ...], y: Shape) -> int:
        return 0

    def saves(self, x: tuple[Shape, ...], y: Shape) -> Saves:
        return Saves("it is there already")

    def shares(self, training: bool, inplace: bool) -> bool:
        return False

    def reach(self, seen: Sequence[Seen | None], x: tuple[Shape, ...], y: Shape) -> Seen:
        raise Unknown("nothing of the input comes into it")
