"""Where two tensors become one: a shortcut and its block, a gate and what it gates.

The first tensor they read is the shortcut, or what is gated; the second the body, or the gate.
"""

from __future__ import annotations

from collections.abc import Sequence

from resnet_cli.layers.arithmetic import Factor, Product, Shape
from resnet_cli.layers.base import Fresh, Kept, Module, SameShape, Saves, Unweighted, elements
from resnet_cli.layers.reach import Seen, united

FOR_FACTORS = "a product's gradient is made of its other factor"
"""Why what is multiplied element by element is saved."""


class Add(SameShape, Unweighted, Fresh):
    """Shortcut + body, element by element (He et al. 2015, Eq. 1)."""

    operator = "addition"
    beside = "1 an element"
    join = True
    is_module = False

    @property
    def constant(self) -> float | None:
        return 1.0

    def operations(self, x: tuple[Shape, ...], y: Shape) -> int:
        return elements(y)

    def saves(self, x: tuple[Shape, ...], y: Shape) -> Saves:
        return Saves("the gradient is handed on as it is")

    def hands_on(self, at: int) -> bool:
        return True

    def reach(self, seen: Sequence[Seen | None], x: tuple[Shape, ...], y: Shape) -> Seen:
        return united(seen, y)

    def module(self) -> Module:
        return Module("addition")

    def figure(self, x: Shape, y: Shape) -> str:
        return "+"


class ScaledAdd(Add):
    """λ·shortcut + μ·body: constant scaling (He et al. 2016, Sec. 3.1, Fig. 2b)."""

    operator = "scaled addition"
    beside = "2 or 3 an element"
    is_module = True

    def __init__(self, name: str, shortcut: float, body: float) -> None:
        super().__init__(name)
        self.shortcut, self.body = shortcut, body

    def operations(self, x: tuple[Shape, ...], y: Shape) -> int:
        """The sum, and a product for each factor that is not 1."""
        return (1 + (self.shortcut != 1) + (self.body != 1)) * elements(y)

    def saves(self, x: tuple[Shape, ...], y: Shape) -> Saves:
        return Saves("the gradient is handed on, times each factor")

    def held(self, x: tuple[Shape, ...], y: Shape) -> tuple[Kept, ...]:
        return (Kept(2 * elements(y)),)

    def hands_on(self, at: int) -> bool:
        return False

    def module(self) -> Module:
        return Module("ScaledAddition", self.fields(), {"shortcut": 1.0, "body": 1.0})

    @property
    def constant(self) -> float | None:
        return self.shortcut

    def notation(self, x: Shape, y: Shape) -> str:
        return f"{self.shortcut:g}·x + {self.body:g}·F"

    def figure(self, x: Shape, y: Shape) -> str:
        return self.notation(x, y)


class GatedAdd(Add):
    """(1 − g)·shortcut + body, with g a sigmoid of a 1×1 convolution of the shortcut (Fig. 2d).

    Where it is ``exclusive`` the body is multiplied by g (Fig. 2c). He et al. 2016, Sec. 3.1.
    """

    operator = "gated addition"
    beside = "5 an element, 6 where exclusive"
    is_module = True

    def __init__(self, name: str, channels: int, exclusive: bool) -> None:
        super().__init__(name)
        self.channels, self.exclusive = channels, exclusive

    def tensors(self) -> dict[str, Product]:
        out, one = Factor("c_out", self.channels), Factor("k", 1)
        return {"weight": (out, Factor("c_in", self.channels), one, one), "bias": (out,)}

    def products(self, x: tuple[Shape, ...], y: Shape) -> tuple[Product, ...]:
        out, inputs, side, _ = self.tensors()["weight"]
        return ((side, side, inputs, out, Factor("h", y[1]), Factor("w", y[2])),)

    def operations(self, x: tuple[Shape, ...], y: Shape) -> int:
        """Bias, sigmoid, 1 − g, product and sum; one more product where exclusive."""
        return (5 + self.exclusive) * elements(y)

    def saves(self, x: tuple[Shape, ...], y: Shape) -> Saves:
        """g and 1 − g beside what they multiply."""
        inputs = (0, 1) if self.exclusive else (0,)
        return Saves(FOR_FACTORS, inputs, beside=(Kept(2 * elements(y)),))

    def held(self, x: tuple[Shape, ...], y: Shape) -> tuple[Kept, ...]:
        return (Kept((2 + self.exclusive) * elements(y)),)

    def hands_on(self, at: int) -> bool:
        return at == 1 and not self.exclusive

    def held_backward(self, x: tuple[Shape, ...], y: Shape) -> tuple[Kept, ...]:
        """Gradients of 1 − g, of g and of its convolution's output."""
        return (Kept(3 * elements(y)),)

    def module(self) -> Module:
        return Module("GatedAddition", self.fields(), {"exclusive": False})

    @property
    def constant(self) -> float | None:
        return None

    def notation(self, x: Shape, y: Shape) -> str:
        return f"(1 − g)·x + {'g·' if self.exclusive else ''}F"

    def figure(self, x: Shape, y: Shape) -> str:
        return "gated +"


class Scale(SameShape, Unweighted, Fresh):
    """Every element times its channel's gate.

    A gate that pools sees the whole input, and so does what it scales from there on. That is said
    once, of the gate; what is followed through the scaling is the main path.
    """

    operator = "scale"
    beside = "1 an element"
    gate = True
    gate_word = "SE"
    is_module = False
    in_figure = True

    def operations(self, x: tuple[Shape, ...], y: Shape) -> int:
        return elements(y)

    def saves(self, x: tuple[Shape, ...], y: Shape) -> Saves:
        return Saves(FOR_FACTORS, inputs=(0, 1), factors=(0, 1))

    def held_backward(self, x: tuple[Shape, ...], y: Shape) -> tuple[Kept, ...]:
        """The gate's gradient before it is added up over the places of a channel."""
        return (Kept(elements(y)),)

    def module(self) -> Module:
        return Module("scaling")

    def figure(self, x: Shape, y: Shape) -> str:
        return "×"


class Share(Scale):
    """Every element times the share that a softmax gives its channel among those of all parts."""

    gate_word = "softmax"


ADDITION = Add("add")
