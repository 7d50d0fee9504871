"""An operation that nobody has described here: it is kept, named, and never taken for nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from resnet_cli.layers.arithmetic import Factor, Product, Shape, Size
from resnet_cli.layers.base import Fresh, Module, Saves
from resnet_cli.layers.grid import Unknown
from resnet_cli.layers.reach import Seen


class Uncounted(Fresh):
    """An operation without readings: every answer that it touches says so, with the ``reason``.

    ``shape`` is its output's where that is known, ``held_tensors`` the learnable tensors known to be its own.
    """

    in_figure = True

    def __init__(
        self,
        name: str,
        operator: str,
        reason: str,
        shape: Shape | None = None,
        held_tensors: Mapping[str, Shape] | None = None,
    ) -> None:
        super().__init__(name)
        self.operator, self.reason, self.shape = operator, reason, shape
        self.held_tensors = (*(held_tensors or {}).items(),)

    def output_shape(self, *x: Shape) -> Shape:
        return self.shape or ()

    def sizes(self, x: Shape) -> tuple[Size, ...]:
        sides = self.shape or ()
        return tuple(Size("given", f"{n}", n) for n in (sides[1:] if len(sides) > 1 else sides))

    def tensors(self) -> dict[str, Product]:
        return {
            name: tuple(Factor("n", side) for side in shape) for name, shape in self.held_tensors
        }

    def buffers(self) -> dict[str, Shape]:
        return {}

    def products(self, x: tuple[Shape, ...], y: Shape) -> tuple[Product, ...]:
        return ()

    def operations(self, x: tuple[Shape, ...], y: Shape) -> int:
        return 0

    def saves(self, x: tuple[Shape, ...], y: Shape) -> Saves:
        return Saves("not known, and counted as nothing")

    def reach(self, seen: Sequence[Seen | None], x: tuple[Shape, ...], y: Shape) -> Seen:
        raise Unknown(f"{self.operator}: {self.reason}")

    def module(self) -> Module:
        raise NotImplementedError(f"{self.operator} is not described here")
