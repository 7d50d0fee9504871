"""Layers that work element by element: ReLU, SiLU, sigmoid, dropout."""

from __future__ import annotations

from resnet_cli.layers.arithmetic import Shape
from resnet_cli.layers.base import Fresh, Kept, Module, SameShape, Saves, Unweighted, elements


class ReLU(SameShape, Unweighted, Fresh):
    """One comparison an element."""

    operator = "ReLU"
    activation = True
    beside = "1 an element"

    def operations(self, x: tuple[Shape, ...], y: Shape) -> int:
        return elements(y)

    def saves(self, x: tuple[Shape, ...], y: Shape) -> Saves:
        return Saves("the gradient passes where it is above 0", output=True)

    def shares(self, training: bool, inplace: bool) -> bool:
        return inplace

    def module(self) -> Module:
        return Module("ReLU")


class SiLU(SameShape, Unweighted, Fresh):
    """x·sigmoid(x) (Hendrycks & Gimpel 2016): a sigmoid and a product an element."""

    operator = "SiLU"
    activation = True
    beside = "2 an element"

    def operations(self, x: tuple[Shape, ...], y: Shape) -> int:
        return 2 * elements(y)

    def saves(self, x: tuple[Shape, ...], y: Shape) -> Saves:
        return Saves("the slope is another at each number", inputs=(0,))

    def module(self) -> Module:
        return Module("SiLU")


class Sigmoid(SameShape, Unweighted, Fresh):
    """One operation an element."""

    operator = "sigmoid"
    beside = "1 an element"

    def operations(self, x: tuple[Shape, ...], y: Shape) -> int:
        return elements(y)

    def saves(self, x: tuple[Shape, ...], y: Shape) -> Saves:
        return Saves("the slope is y·(1 − y)", output=True)

    def module(self) -> Module:
        return Module("Sigmoid")


class Dropout(SameShape, Unweighted, Fresh):
    """Half of the elements zeroed in training; nothing at inference."""

    operator = "dropout"
    on_shortcut = "dropout"

    def operations(self, x: tuple[Shape, ...], y: Shape) -> int:
        return 0

    def saves(self, x: tuple[Shape, ...], y: Shape) -> Saves:
        """Which elements it kept, as factors."""
        return Saves("the gradient passes where an element was kept", beside=(Kept(elements(y)),))

    def shares(self, training: bool, inplace: bool) -> bool:
        return not training

    def module(self) -> Module:
        return Module("Dropout")
