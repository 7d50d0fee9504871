"""Layer: what every leaf of a network answers about itself.

A leaf knows its shapes, its tensors, its cost and what memory it takes, and nothing of where it
stands. Whatever an analysis wants to know of an operation is asked here; mypy and a test see to it
that a leaf answers everything. Shapes are (channels, height, width), or (features,) once flattened, for
one input; ``x`` are the shapes of all tensors that the leaf reads, ``y`` that of its output.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple

from resnet_cli.layers.arithmetic import Product, Shape, Size, Step, value, written
from resnet_cli.layers.reach import Seen, one


class Kept(NamedTuple):
    """So many ``numbers`` as wide as an activation, a statistic or an index (an int64).

    For ``each`` input of the batch, or else once whatever the batch.
    """

    numbers: int
    width: str = "activation"
    each: bool = True


class Saves(NamedTuple):
    """What autograd keeps for the backward pass: which of the inputs, the output, and beside them.

    ``why`` it is kept, or need not be, in words. The inputs among ``factors`` are kept only where another of
    them has a gradient, which is made of them. ``copied`` are for each of the inputs the numbers of a copy that is kept in
    its place, 0 where it is kept itself. ``indices`` are inputs that are whole numbers, an int64 each.
    """

    why: str
    inputs: tuple[int, ...] = ()
    output: bool = False
    beside: tuple[Kept, ...] = ()
    factors: tuple[int, ...] = ()
    copied: tuple[int, ...] = ()
    indices: tuple[int, ...] = ()

    @property
    def before_it_runs(self) -> bool:
        """Whether all of it is there before the layer runs."""
        return not self.output and not self.beside and not any(self.copied)


class Module(NamedTuple):
    """How PyTorch makes the layer: a name of `torch.nn` or of `resnet_cli.pytorch.modules`.

    ``arguments`` are given in order, but by name where there is a ``usual`` value.
    """

    name: str
    arguments: dict[str, Any] = {}  # noqa: RUF012  (never changed)
    usual: dict[str, Any] = {}  # noqa: RUF012


class Layer:
    """A leaf; ``name`` is its part of torch's path.

    Leaves are never changed once they are made. They are no dataclasses, each of which would take
    half a millisecond of every start.
    """

    operator = ""
    """What people call it."""
    rule_name = ""
    """What the counting rules of other tools call it, where that is another word."""
    beside = ""
    """In words what `operations` adds up."""
    how = ""
    """What is to be known of how its MACs are counted."""
    counted = False
    """Whether the papers count it as a layer."""
    convolution = False
    """Whether it is a convolution among those."""
    join = False
    """Whether a shortcut meets its block here."""
    gate = False
    """Whether a gate meets here what it gates."""
    gate_word = ""
    """What figures call that gate."""
    activation = False
    """Whether it is a non-linearity that stands behind a layer."""
    on_shortcut = "identity"
    """What a shortcut is called that it stands on."""
    dilation = 1
    """How far apart the places of its window are."""
    slides = 0
    """Over how many last dimensions of its input it slides a window."""
    wraps = False
    """Whether it moves numbers over the border to the other side."""
    several = False
    """Whether it is several operations in one: products in it put out no tensor of their own."""
    sees_all = False
    """Whether every output depends on all of the input by its statistics; `reach` follows the rest."""
    as_stored = True
    """Whether it multiplies by its weights as they are stored, of which autocast keeps a narrow copy."""
    autocast_known = True
    """Whether it is known what autocast makes of it: wide numbers, where it multiplies narrow ones by wide weights."""
    is_module = True
    """Whether torch has a module for it, and not an expression at the path of its block."""
    in_figure = False
    """Whether Figure 3 of He et al. 2015 has a box for it, where it changes a shape or is counted."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((type(self), *vars(self).values()))

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({fields})"

    # shapes

    @abstractmethod
    def output_shape(self, *x: Shape) -> Shape:
        """The shape that inputs of these shapes leave with."""

    @abstractmethod
    def sizes(self, x: Shape) -> tuple[Size, ...]:
        """How each side of the output comes about: of height and width, or of the features."""

    @property
    def window(self) -> tuple[int, int, int] | None:
        """Kernel, stride and padding, the same in both directions; None where there is no window."""
        return None

    @property
    def resizes(self) -> bool:
        """Whether its output's shape is a matter of arithmetic: not where what comes in goes out."""
        return True

    @property
    def constant(self) -> float | None:
        """What a join multiplies the shortcut by; None where that depends on the input."""
        return None

    # tensors

    @abstractmethod
    def tensors(self) -> dict[str, Product]:
        """Learnable tensors in state-dict order: torch's name -> its sides, as named factors."""

    @abstractmethod
    def buffers(self) -> dict[str, Shape]:
        """What is kept and not learned: torch's name -> shape, in state-dict order."""

    def parameters(self) -> dict[str, Shape]:
        """Learnable tensors: torch's name -> shape, in state-dict order."""
        return {
            name: tuple(number // parts for _, number, _, parts in sides)
            for name, sides in self.tensors().items()
        }

    # cost, for one input

    @abstractmethod
    def products(self, x: tuple[Shape, ...], y: Shape) -> tuple[Product, ...]:
        """What its multiply-accumulates are the sum of; nothing where it has none."""

    @abstractmethod
    def operations(self, x: tuple[Shape, ...], y: Shape) -> int:
        """Elementary operations that are not MACs: a sum, product, comparison or sigmoid each."""

    def pooled(self, x: Shape, y: Shape) -> int:
        """The values that its windows hold together: each input once where it has none."""
        return elements(x)

    def macs(self, x: tuple[Shape, ...], y: Shape) -> int:
        """Multiply-accumulates."""
        return sum(map(value, self.products(x, y)))

    def activations(self, x: tuple[Shape, ...], y: Shape) -> int:
        """Numbers that its convolutions and products of matrices put out."""
        return elements(y) if self.products(x, y) and not self.several else 0

    def gradients(self, x: tuple[Shape, ...], y: Shape, wanted: Sequence[bool]) -> tuple[int, int]:
        """MACs of the gradients of its inputs, of those that are ``wanted``, and of its tensors.

        Every product w·x of the forward pass is met again as w·dy, in the gradient of x, and as
        x·dy, in that of w; so each has as many MACs, whatever the stride and the groups.
        """
        macs = self.macs(x, y)
        return (macs if any(wanted) else 0, macs)

    # memory

    @abstractmethod
    def saves(self, x: tuple[Shape, ...], y: Shape) -> Saves:
        """What autograd keeps of a pass in train mode, in PyTorch."""

    @abstractmethod
    def shares(self, training: bool, inplace: bool) -> bool:
        """Whether its output lies in the storage of its first input: a view, or in place.

        ``inplace`` is whether activations are asked to be so.
        """

    @abstractmethod
    def held(self, x: tuple[Shape, ...], y: Shape) -> tuple[Kept, ...]:
        """What it allocates and frees again while it runs forward."""

    @abstractmethod
    def hands_on(self, at: int) -> bool:
        """Whether the gradient of its input at that place is its output's own, and no new tensor."""

    @abstractmethod
    def held_backward(self, x: tuple[Shape, ...], y: Shape) -> tuple[Kept, ...]:
        """What it allocates and frees again while it runs backward, beside the gradients themselves."""

    # what it sees

    @abstractmethod
    def reach(self, seen: Sequence[Seen | None], x: tuple[Shape, ...], y: Shape) -> Seen:
        """What the numbers of its output see, by what those of its inputs see; None sees nothing.

        At least one of them sees something. Raises `Unknown`, which says why.
        """

    # how it is made, and written

    def fields(self) -> dict[str, Any]:
        """What it holds beside its name."""
        return {key: value for key, value in vars(self).items() if key != "name"}

    @abstractmethod
    def module(self) -> Module:
        """How PyTorch makes it."""

    def notation(self, x: Shape, y: Shape) -> str:
        """How the papers' tables write it, such as `3×3, 64`; "" where they leave it out."""
        return ""

    def figure(self, x: Shape, y: Shape) -> str:
        """What Figure 3 of He et al. 2015 writes on its box, such as `3×3 conv, 64, /2`."""
        return self.operator


def parameters(layer: Layer, shared: Sequence[str] = ()) -> Step:
    """How the number of a layer's parameters comes about: its tensors' sides, kernel first.

    Those that are ``shared`` count where they were met before.
    """
    own = [sides for name, sides in layer.tensors().items() if name not in shared]
    return written(layer.name, [tuple(reversed(sides)) for sides in own])


def macs(layer: Layer, x: tuple[Shape, ...], y: Shape) -> Step:
    """How the number of a layer's MACs comes about."""
    return written(layer.name, layer.products(x, y))


class Unweighted(Layer):
    """Layers that hold no tensor and have no MACs."""

    def tensors(self) -> dict[str, Product]:
        return {}

    def buffers(self) -> dict[str, Shape]:
        return {}

    def products(self, x: tuple[Shape, ...], y: Shape) -> tuple[Product, ...]:
        return ()


class Fresh(Layer):
    """Layers whose output and gradients are new tensors, and that allocate nothing beside them."""

    def shares(self, training: bool, inplace: bool) -> bool:
        return False

    def held(self, x: tuple[Shape, ...], y: Shape) -> tuple[Kept, ...]:
        return ()

    def hands_on(self, at: int) -> bool:
        return False

    def held_backward(self, x: tuple[Shape, ...], y: Shape) -> tuple[Kept, ...]:
        return ()


class SameShape(Layer):
    """Layers of which every neuron sees what the one in its place in the first input sees."""

    def output_shape(self, *x: Shape) -> Shape:
        return x[0]

    def sizes(self, x: Shape) -> tuple[Size, ...]:
        if len(x) == 1:
            return (Size("out", f"{x[0]}", x[0]),)
        return tuple(Size("n", f"{side}", side) for side in x[1:])

    @property
    def resizes(self) -> bool:
        return False

    def reach(self, seen: Sequence[Seen | None], x: tuple[Shape, ...], y: Shape) -> Seen:
        return seen[0] or one(seen).like(y)


class Windowed(Layer):
    """Layers that look through a square window: ``kernel``, ``stride`` and ``padding`` are theirs."""

    kernel: int
    stride: int
    padding: int
    slides = 2

    @property
    def window(self) -> tuple[int, int, int]:
        return (self.kernel, self.stride, self.padding)

    def sides(self, *sides: int) -> tuple[int, ...]:
        """Output sizes, ⌊(n + 2p − d·(k − 1) − 1) / s⌋ + 1 each."""
        beyond = 2 * self.padding - self.dilation * (self.kernel - 1) - 1
        return tuple((side + beyond) // self.stride + 1 for side in sides)

    def sizes(self, x: Shape) -> tuple[Size, ...]:
        kernel, stride, padding = self.window
        wide, numbers = "k", f"{kernel}"
        if self.dilation > 1:
            wide, numbers = "d·(k − 1) − 1", f"{self.dilation}·({kernel} − 1) − 1"
        return tuple(
            Size(
                f"⌊(n + 2p − {wide}) / s⌋ + 1",
                f"⌊({n} + 2·{padding} − {numbers}) / {stride}⌋ + 1",
                result,
            )
            for n, result in zip(x[1:], self.sides(*x[1:]), strict=True)
        )

    def pooled(self, x: Shape, y: Shape) -> int:
        return self.kernel**2 * elements(y)

    def reach(self, seen: Sequence[Seen | None], x: tuple[Shape, ...], y: Shape) -> Seen:
        own, window = one(seen), (*self.window, self.dilation)
        return own.windowed(1, y[1], *window).windowed(2, y[2], *window)


class OfGraph(Fresh):
    """Layers that graphs made by others bring: ``operator`` and the output's ``shape`` stand in the graph.

    Shapes are as the file has them, without a leading batch; what such a layer does to a place of an
    image is not always known, and no module of torch is made of it.
    """

    def __init__(self, name: str, operator: str, shape: Shape) -> None:
        super().__init__(name)
        self.operator, self.shape = operator, shape

    def output_shape(self, *x: Shape) -> Shape:
        return self.shape

    def sizes(self, x: Shape) -> tuple[Size, ...]:
        sides = self.shape[1:] if len(self.shape) > 1 else self.shape
        return tuple(map(given, sides))

    def buffers(self) -> dict[str, Shape]:
        return {}

    def module(self) -> Module:
        raise NotImplementedError(f"{self.operator} stands in a graph, and no spec makes it")


def given(side: int) -> Size:
    """A side that comes about as the file says, by no formula here."""
    return Size("given", f"{side}", side)


def elements(shape: Shape) -> int:
    """How many numbers a tensor of this shape holds."""
    return prod(shape)
