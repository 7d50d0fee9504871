"""Layers that work element by element: activations, sigmoid, dropout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from resnet_cli.layers.arithmetic import Factor, Product, Shape
from resnet_cli.layers.base import (
    Fresh,
    Kept,
    Module,
    OfGraph,
    SameShape,
    Saves,
    Unweighted,
    elements,
)
from resnet_cli.layers.reach import Seen, one, united


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


class Curve(SameShape, Unweighted, Fresh):
    """An activation of `KINDS` that torch has a module for, whose slope is another at each number."""

    activation = True

    @property
    def beside(self) -> str:  # type: ignore[override]
        return f"{KINDS[self.operator].operations} an element"

    def operations(self, x: tuple[Shape, ...], y: Shape) -> int:
        return KINDS[self.operator].operations * elements(y)

    def saves(self, x: tuple[Shape, ...], y: Shape) -> Saves:
        return Saves("the slope is another at each number", inputs=(0,))


class GELU(Curve):
    """x times the share of a normal distribution below x (Hendrycks & Gimpel 2016)."""

    operator = "GELU"

    def module(self) -> Module:
        return Module("GELU")


class LeakyReLU(Curve):
    """x, or x/100 below 0 (Maas et al. 2013)."""

    operator = "leaky ReLU"

    def module(self) -> Module:
        return Module("LeakyReLU")


class ELU(Curve):
    """x, or exp(x) − 1 below 0 (Clevert et al. 2016)."""

    operator = "ELU"

    def module(self) -> Module:
        return Module("ELU")


class Mish(Curve):
    """x·tanh(softplus(x)) (Misra 2020)."""

    operator = "mish"

    def module(self) -> Module:
        return Module("Mish")


class Hardswish(Curve):
    """x·relu6(x + 3)/6 (Howard et al. 2019)."""

    operator = "hard swish"

    def module(self) -> Module:
        return Module("Hardswish")


class PReLU(SameShape, Fresh):
    """x above 0, else a learned slope of each channel times x (He et al. 2015, "Delving Deep", Eq. 1)."""

    operator = "PReLU"
    autocast_known = False
    activation = True
    beside = "2 an element"

    def __init__(self, name: str, channels: int) -> None:
        super().__init__(name)
        self.channels = channels

    def tensors(self) -> dict[str, Product]:
        return {"weight": (Factor("c", self.channels),)}

    def buffers(self) -> dict[str, Shape]:
        return {}

    def products(self, x: tuple[Shape, ...], y: Shape) -> tuple[Product, ...]:
        return ()

    def operations(self, x: tuple[Shape, ...], y: Shape) -> int:
        return 2 * elements(y)

    def saves(self, x: tuple[Shape, ...], y: Shape) -> Saves:
        return Saves("the slope is another at each number", inputs=(0,))

    def held_backward(self, x: tuple[Shape, ...], y: Shape) -> tuple[Kept, ...]:
        """The slopes' gradient before it is added up over the places of a channel."""
        return (Kept(elements(y)),)

    def module(self) -> Module:
        return Module("PReLU", self.fields())


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
    """A ``rate`` of the elements zeroed in training, ``inplace`` or not; nothing at inference."""

    operator = "dropout"
    on_shortcut = "dropout"

    def __init__(self, name: str, inplace: bool = False, rate: float = 0.5) -> None:
        super().__init__(name)
        self.inplace, self.rate = inplace, rate

    def operations(self, x: tuple[Shape, ...], y: Shape) -> int:
        return 0

    def saves(self, x: tuple[Shape, ...], y: Shape) -> Saves:
        """Which elements it kept, as factors."""
        return Saves("the gradient passes where an element was kept", beside=(Kept(elements(y)),))

    def shares(self, training: bool, inplace: bool) -> bool:
        return self.inplace or not training

    def module(self) -> Module:
        return Module("Dropout", {"p": self.rate}, {"p": 0.5})


class StochasticDepth(SameShape, Unweighted, Fresh):
    """In training a body left out for a ``rate`` of the inputs, and larger for the others (Huang et al. 2016, Sec. 3).

    At inference it does nothing.
    """

    operator = "stochastic depth"

    def __init__(self, name: str, rate: float) -> None:
        super().__init__(name)
        self.rate = rate

    def operations(self, x: tuple[Shape, ...], y: Shape) -> int:
        return 0

    def saves(self, x: tuple[Shape, ...], y: Shape) -> Saves:
        """A factor an input."""
        return Saves("the gradient passes where a body was kept", beside=(Kept(1),))

    def shares(self, training: bool, inplace: bool) -> bool:
        return not training

    def module(self) -> Module:
        return Module("StochasticDepth", self.fields())


class Kind(NamedTuple):
    """An operation element by element: how many ``operations`` an element, and what autograd saves of it.

    ``saves`` are the places of inputs, "y" the output; only where all of them are tensors of the network.
    "yx": the input, or the output where it is written in the input's place. ``factors`` are those of which one is
    saved only where another has a gradient.
    ``activation``: a non-linearity that stands behind a layer; ``gate``: one that ends in 0 to 1, or −1 to 1.
    """

    operations: int
    saves: str = ""
    activation: bool = False
    gate: bool = False
    factors: tuple[int, ...] = ()


KINDS = {
    "ReLU": Kind(1, "y", True), "ReLU6": Kind(2, "0", True), "leaky ReLU": Kind(2, "yx", True),
    "PReLU": Kind(2, "01", True), "ELU": Kind(3, "yx", True), "SELU": Kind(4, "yx", True), "CELU": Kind(4, "yx", True),
    "GELU": Kind(5, "0", True), "SiLU": Kind(2, "0", True), "mish": Kind(4, "0", True),
    "hard swish": Kind(4, "0", True), "hard sigmoid": Kind(3, "0", True, True),
    "sigmoid": Kind(1, "y", True, True), "tanh": Kind(1, "y", True, True), "log sigmoid": Kind(2, "0", True),
    "softplus": Kind(2, "0", True), "softsign": Kind(2, "0", True), "clamp": Kind(2, "0"), "hard tanh": Kind(2, "0", True),
    "threshold": Kind(1, "0", True), "GLU": Kind(2, "0", True),
    "addition": Kind(1), "subtraction": Kind(1), "product": Kind(1, "01", factors=(0, 1)),
    "quotient": Kind(1, "01", factors=(0,)),
    "power": Kind(1, "0"), "maximum": Kind(1, "01"), "minimum": Kind(1, "01"), "remainder": Kind(1), "floor division": Kind(1),
    "negation": Kind(1), "absolute": Kind(1, "0"), "exponential": Kind(1, "y"), "logarithm": Kind(1, "0"),
    "square root": Kind(1, "y"), "inverse square root": Kind(1, "y"), "reciprocal": Kind(1, "y"), "square": Kind(1, "0"),
    "sine": Kind(1, "0"), "cosine": Kind(1, "0"), "arc tangent": Kind(1, "0"), "error function": Kind(1, "0"),
    "rounding": Kind(1), "sign": Kind(1), "comparison": Kind(1), "logical": Kind(1), "choice": Kind(1),
    "running sum": Kind(1), "trigonometric": Kind(1, "0"), "local response norm": Kind(4, "0"),
    "rotation": Kind(3), "interpolation": Kind(3), "product and sum": Kind(2, "12", factors=(1, 2)),
}  # fmt: skip
"""What graphs call by many names -> its cost. A function such as a sigmoid or an exponential is one operation."""


class Elementwise(Unweighted, OfGraph):
    """An operation of `KINDS` on one tensor, or on several that are spread to one shape.

    ``inplace``: it writes into its first.
    """

    def __init__(self, name: str, operator: str, shape: Shape, inplace: bool = False) -> None:
        super().__init__(name, operator, shape)
        self.inplace = inplace
        self.kind = KINDS[operator]
        self.activation = self.kind.activation

    @property
    def resizes(self) -> bool:
        return False

    @property
    def beside(self) -> str:  # type: ignore[override]
        return f"{self.kind.operations} an element"

    def operations(self, x: tuple[Shape, ...], y: Shape) -> int:
        return self.kind.operations * elements(y)

    def saves(self, x: tuple[Shape, ...], y: Shape) -> Saves:
        saves = self.kind.saves
        if saves == "yx":
            saves = "y" if self.inplace else "0"
        places = tuple(int(at) for at in saves if at != "y")
        if not saves or len(x) < len(places):
            return Saves("the gradient is handed on, times a constant")
        why = "the slope is another at each number"
        return Saves(why, places, "y" in saves, factors=self.kind.factors)

    def shares(self, training: bool, inplace: bool) -> bool:
        """In training not where the input is saved: torch saves a copy of it then, and the sum is the same."""
        return self.inplace and (not training or not self.kind.saves or "y" in self.kind.saves)

    def hands_on(self, at: int) -> bool:
        return self.operator == "addition"

    def reach(self, seen: Sequence[Seen | None], x: tuple[Shape, ...], y: Shape) -> Seen:
        own = [self._spread(each, y) for each in seen]
        return united(own, y)

    def _spread(self, seen: Seen | None, y: Shape) -> Seen | None:
        """An input; of one that is cut in half, as GLU's, the two halves together."""
        if seen is None or self.operator != "GLU":
            return seen
        for at, (before, after) in enumerate(zip(seen.shape, y, strict=True)):
            if before == 2 * after:
                halves = (*y[:at], 2, *y[at:])
                return seen.reshaped(halves).over(at).laid(y)
        return seen


class Softmax(Unweighted, OfGraph):
    """Exponentials that add up to 1 along one side: the largest taken off, exponential, sum, quotient."""

    beside = "4 an element"

    def __init__(self, name: str, operator: str, shape: Shape, dim: int = -1) -> None:
        super().__init__(name, operator, shape)
        self.dim = dim

    @property
    def resizes(self) -> bool:
        return False

    def operations(self, x: tuple[Shape, ...], y: Shape) -> int:
        return 4 * elements(y)

    def saves(self, x: tuple[Shape, ...], y: Shape) -> Saves:
        return Saves("the slope is made of the output", output=True)

    def reach(self, seen: Sequence[Seen | None], x: tuple[Shape, ...], y: Shape) -> Seen:
        own = one(seen)
        return own.alike(self.dim % len(own.dims))
