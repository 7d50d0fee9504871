"""Channels that are so many parts, one behind another: their sum, and a softmax that chooses among them."""

from __future__ import annotations

from collections.abc import Sequence

from resnet_cli.layers.arithmetic import Shape, Size
from resnet_cli.layers.base import (
    Fresh,
    Kept,
    Module,
    SameShape,
    Saves,
    Unweighted,
    elements,
)
from resnet_cli.layers.reach import Seen, one


class SumOfParts(Unweighted, Fresh):
    """(parts · c, h, w) -> (c, h, w): the branches of a selection together (Li et al. 2019, Eq. 1 and 6)."""

    operator = "sum of parts"
    beside = "1 an input"

    def __init__(self, name: str, parts: int) -> None:
        super().__init__(name)
        self.parts = parts

    def output_shape(self, *x: Shape) -> Shape:
        channels, *sides = x[0]
        return (channels // self.parts, *sides)

    def sizes(self, x: Shape) -> tuple[Size, ...]:
        return tuple(Size("n", f"{side}", side) for side in x[1:])

    def operations(self, x: tuple[Shape, ...], y: Shape) -> int:
        return elements(x[0])

    def saves(self, x: tuple[Shape, ...], y: Shape) -> Saves:
        return Saves("the gradient is handed on to each part")

    def reach(self, seen: Sequence[Seen | None], x: tuple[Shape, ...], y: Shape) -> Seen:
        return one(seen).reshaped((self.parts, *y)).over(0).laid(y)

    def module(self) -> Module:
        return Module("SumOfParts", self.fields())


class SoftmaxOfParts(SameShape, Unweighted, Fresh):
    """Shares that add up to 1 over the parts, for each channel (Li et al. 2019, Eq. 5).

    With ``groups`` its input has the parts of each group together, its output the groups of each part
    (Zhang et al. 2020, "ResNeSt", Eq. 3).
    """

    operator = "softmax of parts"
    beside = "4 an element"

    def __init__(self, name: str, parts: int, groups: int = 1) -> None:
        super().__init__(name)
        self.parts, self.groups = parts, groups

    def operations(self, x: tuple[Shape, ...], y: Shape) -> int:
        """The largest taken off, exponential, sum, quotient."""
        return 4 * elements(y)

    def saves(self, x: tuple[Shape, ...], y: Shape) -> Saves:
        return Saves("the slope is made of the output", output=True)

    def held_backward(self, x: tuple[Shape, ...], y: Shape) -> tuple[Kept, ...]:
        """The gradient in the order of the parts."""
        return (Kept(elements(y)),) if self.groups > 1 else ()

    def module(self) -> Module:
        return Module("SoftmaxOfParts", self.fields(), {"groups": 1})
