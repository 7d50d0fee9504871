"""Call: what a rule may ask of one operation; `Unknown` says why it has no answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import NamedTuple, NoReturn, TypeAlias

from resnet_cli.checkpoints.container.contents import MOST_DIMENSIONS, MOST_ELEMENTS
from resnet_cli.checkpoints.container.faults import excerpt
from resnet_cli.graphs.graph import PARAMETER, Dim, Dims, Element, Node, Tensor


class Unknown(Exception):
    """A shape cannot be told; the message says why."""


Shapes: TypeAlias = list[Dims]
Rule: TypeAlias = "Callable[[Call], Shapes]"


class Call(NamedTuple):
    """An operation and the tensors that it reads, None where an optional one is left out.

    ``opset`` is the version of the operators that it is one of.
    """

    node: Node
    inputs: tuple[Tensor | None, ...]
    opset: int

    def has(self, at: int) -> bool:
        """Whether that input is there."""
        return at < len(self.inputs) and self.inputs[at] is not None

    def tensor(self, at: int) -> Tensor:
        """An input; raises `Unknown` where it is left out."""
        tensor = self.inputs[at] if at < len(self.inputs) else None
        if tensor is None:
            raise Unknown(f"its input {at + 1} is left out")
        return tensor

    def shape(self, at: int = 0) -> Dims:
        """An input's shape; raises `Unknown` where not even its rank is known."""
        tensor = self.tensor(at)
        if tensor.shape is None:
            raise Unknown(tensor.why or f"the shape of {excerpt(tensor.name)} is not known")
        return tensor.shape

    def elements(self, at: int) -> tuple[Element, ...]:
        """An input's numbers, some of which may be open; raises `Unknown` where none is known.

        A matrix of weights is none that sizes are computed from.
        """
        tensor = self.tensor(at)
        weights = tensor.kind == PARAMETER and len(tensor.shape or ()) > 1
        if tensor.value is None or weights:
            raise Unknown(f"the numbers of {excerpt(tensor.name)} are not known before it runs")
        return tensor.value

    def whole(self, at: int) -> tuple[int, ...]:
        """An input's numbers, which are integers; raises `Unknown` where one is open."""
        numbers = self.elements(at)
        if not all(isinstance(number, int) for number in numbers):
            raise Unknown(f"the numbers of {excerpt(self.tensor(at).name)} are not all known")
        return tuple(number for number in numbers if isinstance(number, int))

    def reals(self, at: int) -> tuple[float, ...]:
        """An input's numbers."""
        numbers = self.elements(at)
        if not all(isinstance(number, int | float) for number in numbers):
            raise Unknown(f"the numbers of {excerpt(self.tensor(at).name)} are not all known")
        return tuple(number for number in numbers if isinstance(number, int | float))

    def one(self, at: int) -> int:
        """An input's only number."""
        numbers = self.whole(at)
        if len(numbers) != 1:
            self.unfit(f"input {at + 1} is not one number")
        return numbers[0]

    def number(self, key: str, usual: int) -> int:
        """An attribute that is an integer."""
        value = self.node.attributes.get(key, usual)
        if not isinstance(value, int):
            self.unfit(f"{key} is no integer")
        return value

    def numbers(self, key: str) -> tuple[int, ...] | None:
        """An attribute that is a list of integers; None where it is left out."""
        value = self.node.attributes.get(key)
        if value is None:
            return None
        if not isinstance(value, tuple):
            self.unfit(f"{key} is no list")
        numbers = tuple(number for number in value if isinstance(number, int))
        if len(numbers) != len(value):
            self.unfit(f"{key} is not of integers")
        return numbers

    def text(self, key: str, usual: str) -> str:
        """An attribute that is a text."""
        value = self.node.attributes.get(key, usual)
        if not isinstance(value, str):
            self.unfit(f"{key} is no text")
        return value

    def listed(self, key: str, at: int) -> tuple[int, ...] | None:
        """Integers that are an attribute of older versions and an input of newer ones."""
        return self.whole(at) if self.has(at) else self.numbers(key)

    def unfit(self, why: str) -> NoReturn:
        """Raises `Unknown` for an operation that is not as its operator is described."""
        raise Unknown(f"this {excerpt(self.node.operator)} does not fit its description: {why}")


def axis_of(axis: int, rank: int, most: int = 0) -> int:
    """An axis counted from the front; it may be as large as the rank plus ``most``."""
    if not -rank - most <= axis < rank + most:
        raise Unknown(f"axis {axis} of a tensor of {rank} dimensions")
    return axis + rank + most if axis < 0 else axis


def axes_of(axes: Sequence[int], rank: int) -> list[int]:
    """Axes counted from the front."""
    return [axis_of(axis, rank) for axis in axes]


def count(shape: Sequence[Dim]) -> int | None:
    """How many numbers such a shape has; None where a size is open."""
    sizes = [size for size in shape if isinstance(size, int)]
    if 0 in sizes:
        return 0
    return prod(sizes) if len(sizes) == len(shape) else None


def plus(*sizes: Dim) -> Dim:
    """A sum; open where more than one part is not a number or zero."""
    numbers = [size for size in sizes if isinstance(size, int)]
    others = [size for size in sizes if not isinstance(size, int)]
    if not others:
        return sum(numbers)
    return others[0] if len(others) == 1 and not sum(numbers) else None


def times(*sizes: Dim) -> Dim:
    """A product; open where a part is, but for a factor of 1."""
    others = [size for size in sizes if size != 1]
    if not others:
        return 1
    return others[0] if len(others) == 1 else count(others)


def broadcast(*shapes: Dims) -> Dims:
    """The shape that tensors of these shapes are stretched to, aligned at their ends."""
    rank = max(map(len, shapes))
    result: list[Dim] = []
    for at in range(-rank, 0):
        sizes = {shape[at] for shape in shapes if len(shape) >= -at} - {1}
        numbers = [size for size in sizes if isinstance(size, int)]
        if len(numbers) > 1:
            raise Unknown(f"sizes {numbers[0]} and {numbers[1]} meet")
        if numbers:
            result.append(numbers[0])
        else:
            result.append(sizes.pop() if len(sizes) == 1 else None if sizes else 1)
    return tuple(result)


def checked(shape: Dims) -> Dims:
    """The shape; raises `Unknown` for one that no tensor has."""
    if len(shape) > MOST_DIMENSIONS:
        raise Unknown(f"it has over {MOST_DIMENSIONS} dimensions")
    for size in shape:
        if isinstance(size, int) and not 0 <= size <= MOST_ELEMENTS:
            raise Unknown(f"it would have a side of {size:,}")
    if (count(shape) or 0) > MOST_ELEMENTS:
        raise Unknown("it would have too many numbers")
    return shape


Table: TypeAlias = Mapping[str, Rule]
