"""Op: an operation of a graph as the rules that make leaves of it ask for it, the same for every format."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from math import prod

from resnet_cli.graphs.graph import BUFFER, CONSTANT, INPUT, PARAMETER, Node, Ref, Tensor, Value
from resnet_cli.graphs.strides import Laid, plain
from resnet_cli.layers.arithmetic import Shape


class Undescribed(Exception):
    """An operation that no rule describes; the text says why."""


class Op:
    """A node with its arguments by name, and what a rule finds out: which tensors are its ``own``, which it reads.

    Shapes are without the batch, as those of rows are.
    """

    def __init__(
        self,
        node: Node,
        tensors: Mapping[str, Tensor],
        batch: int | None,
        label: str,
        paths: Collection[str] = (),
        learned: Collection[str] = (),
    ) -> None:
        self.node, self.tensors, self.batch, self.label = node, tensors, batch, label
        self.paths = paths  # of all parameters and buffers
        self.learned = learned  # tensors of which a gradient is taken
        self.own: dict[str, str] = {}
        self.reads: list[str] = [name for name in node.inputs if name and self.is_read(name)]

    @property
    def output(self) -> str:
        """The first output that is used."""
        return next(filter(None, self.node.outputs), "")

    def argument(self, key: str, usual: Value = None) -> Value:
        """An argument that is no tensor."""
        value = self.node.attributes.get(key)
        return usual if value is None else value

    def number(self, key: str, usual: int = 0) -> int:
        """An argument that is a whole number or a truth."""
        value = self.argument(key, usual)
        if not isinstance(value, int):
            raise Undescribed(f"its {key} is no number")
        return value

    def numbers(self, key: str, rank: int, usual: int = 0) -> tuple[int, ...]:
        """An argument that is a number for each of ``rank`` sides, or one for all."""
        value = self.argument(key, usual)
        many = value if isinstance(value, tuple) else (value,)
        whole = tuple(part for part in many if isinstance(part, int))
        if len(whole) != len(many):
            raise Undescribed(f"its {key} depends on the data")
        if not whole:
            return (usual,) * rank
        return whole * rank if len(whole) == 1 else whole

    def place(self, key: str, axis: int | None = None) -> int:
        """An argument that is a dimension of the first input, from the front, without the batch."""
        rank = len(self.dims(self.node.inputs[0]))
        at = self.number(key, 0) if axis is None else axis
        return at % rank - self.cut(self.node.inputs[0])

    @property
    def factor(self) -> float | None:
        """The one number that its tensor is combined with."""
        others = [
            value for value in self.node.attributes.values() if isinstance(value, int | float)
        ]
        for name in self.node.inputs:
            value = self.tensors[name].value if name in self.tensors else None
            if name not in self.reads and value and len(value) == 1:
                others.append(value[0])  # type: ignore[arg-type]
        return float(others[0]) if len(others) == 1 else None

    def name(self, key: str) -> str:
        """The tensor that an argument is; "" where it is left out."""
        value = self.node.attributes.get(key)
        return value.name if type(value) is Ref else ""

    def dims(self, name: str) -> Shape:
        """A tensor's shape as the file has it, batch and all."""
        tensor = self.tensors[name]
        if tensor.shape is None:
            raise Undescribed(tensor.why or "its shape is not known")
        sizes = tuple(size for size in tensor.shape if isinstance(size, int))
        if len(sizes) != len(tensor.shape):
            raise Undescribed(tensor.why or "its shape is not known")
        return sizes

    def laid(self, name: str) -> Laid:
        """How a tensor's numbers lie, the batch's too."""
        sizes, strides = self.dims(name), self.tensors[name].strides or ()
        numbers = tuple(stride for stride in strides if isinstance(stride, int))
        return Laid(sizes, numbers) if len(numbers) == len(sizes) else plain(sizes)

    def each(self, numbers: int) -> int:
        """Of so many numbers those of one input."""
        return numbers // (self.batch if self.batch and self.cut(self.output) else 1)

    def cut(self, name: str) -> int:
        """1 where a tensor leads with the batch, which rows leave out; of what is stored, none is for one input."""
        dims = self.dims(name)
        stored = self.tensors[name].kind in (PARAMETER, BUFFER, CONSTANT)
        return int(dims[:1] == (self.batch,) and (self.batch == 1 or not stored))

    def shape(self, name: str) -> Shape:
        """A tensor's shape for one input."""
        return self.dims(name)[self.cut(name) :]

    @property
    def result(self) -> Shape:
        """The shape of the first output."""
        return self.shape(self.output)

    @property
    def channels(self) -> int:
        """How many the first tensor has that it reads, which stand behind the batch."""
        return self.dims(self.reads[0])[1]

    @property
    def inputs_in_a_row(self) -> int:
        """How many inputs' numbers the first tensor holds as rows have it: one, where the batch is left out."""
        return 1 if self.cut(self.reads[0]) else self.dims(self.reads[0])[0]

    def is_turned(self, name: str) -> bool:
        """Whether it is another name of a matrix in the file, with its sides in the other order."""
        tensor = self.tensors[name]
        original = self.tensors.get(tensor.name)
        return bool(
            original and tensor.name != name and tensor.shape == (original.shape or ())[::-1]
        )

    def is_read(self, name: str) -> bool:
        """Whether a tensor is one of the network's, and no number, size or text."""
        tensor = self.tensors.get(name)
        if tensor is None:
            return False
        if tensor.kind == INPUT:
            return True
        if tensor.kind in (PARAMETER, BUFFER):
            return not (tensor.kind == BUFFER and tensor.shape == ())
        if tensor.kind == CONSTANT:
            if tensor.value is not None and (tensor.dtype or "").startswith("int"):
                return False  # sizes and the like
            return tensor.shape is None or prod(s for s in tensor.shape if isinstance(s, int)) > 1
        return tensor.value is None

    def owns(self, label: str, name: str, learned: bool = True) -> bool:
        """Whether a tensor is a parameter, else a buffer or constant; then it is this layer's own, by this name in it."""
        kinds = (PARAMETER,) if learned else (BUFFER, CONSTANT)
        if name and self.tensors[name].kind in kinds:
            self.own[label] = name
            self.reads = [read for read in self.reads if read != name]
            return True
        return False

    def only(self, *names: str) -> None:
        """It reads these alone, in this order."""
        self.reads = [name for name in names if name and self.is_read(name)]
