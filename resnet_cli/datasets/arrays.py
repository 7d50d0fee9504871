"""The pickles of Python 2 that CIFAR comes in, read by the pickle machine: bytes, lists and one array of bytes.

Three names may stand in one, and none of them is ever imported or called.
"""

from __future__ import annotations

from math import prod

from resnet_cli.checkpoints.container.contents import Opaque
from resnet_cli.checkpoints.container.faults import bad, excerpt
from resnet_cli.checkpoints.container.opcodes import Ended, Machine
from resnet_cli.checkpoints.container.pickles import load
from resnet_cli.checkpoints.container.rebuild import broken

RECONSTRUCT, ARRAY, DTYPE = "numpy.core.multiarray._reconstruct", "numpy.ndarray", "numpy.dtype"
NAMES = {name: Opaque(name) for name in (RECONSTRUCT, ARRAY, DTYPE)}


class Array:
    """A numpy array of bytes: its shape, and its numbers row by row."""

    __slots__ = ("content", "shape")

    def __init__(self) -> None:
        self.shape: tuple[int, ...] = ()
        self.content = b""


class ArrayMachine(Machine):
    """A machine that knows numpy's arrays of bytes, and nothing else that has a name."""

    __slots__ = ()

    def named(self, name: str) -> object:
        if name not in NAMES:
            raise bad(
                f"wants to run or import {excerpt(name)}, which is never done",
                "no batch of CIFAR does; do not load this file unless you trust where it comes from",
            )
        return NAMES[name]

    def called(self, what: object, arguments: object) -> object:
        if what is NAMES[RECONSTRUCT]:
            return Array()
        if what is NAMES[DTYPE] and type(arguments) is tuple and arguments[:1] == ("u1",):
            return NAMES[DTYPE]
        raise broken()

    def build(self) -> None:
        """The state of an array, (version, shape, dtype, by columns, content); a dtype's is not used."""
        state = self.stack.pop()
        target = self.stack[-1]
        if type(target) is Array:
            if type(state) is not tuple or len(state) != 5 or state[2:4] != (NAMES[DTYPE], False):
                raise broken()
            _, shape, _, _, content = state
            if type(content) is str:  # bytes that happen to be UTF-8
                content = content.encode()
            sizes = type(shape) is tuple and all(type(n) is int and n >= 0 for n in shape)
            if not sizes or type(content) is not bytes or prod(shape) != len(content):
                raise broken()
            target.shape, target.content = shape, content
        elif target is not NAMES[DTYPE]:
            raise broken()


def unpickled(data: bytes) -> object:
    """What a pickle holds. Raises `UserError` (exit 1), a predicate, for all but plain values and arrays of bytes."""
    try:
        return load(data, ArrayMachine).content
    except Ended:
        raise broken() from None
