"""The instructions of a pickle that torch.save writes, protocols 2 to 5; all others are refused by name.

Python's `pickletools` describes each. None here imports or runs anything.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from resnet_cli.checkpoints.container.allowed import named
from resnet_cli.checkpoints.container.contents import Opaque, TensorInfo
from resnet_cli.checkpoints.container.faults import bad
from resnet_cli.checkpoints.container.rebuild import broken, called, key_of, put, stored

MOST_COPIED = 1_000_000  # values
LONG = struct.Struct("<I").unpack_from


class Ended(Exception):
    """The bytes end before the pickle does."""


class Machine:
    """A stack, where marks are in it, and a memo of what may be used again."""

    __slots__ = ("copied", "data", "marks", "memo", "stack", "storages")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.stack: list[object] = []
        self.marks: list[int] = []
        self.memo: dict[int, object] = {}
        self.storages: dict[str, int] = {}
        self.copied = 0  # values that calls copied: work beyond one step

    def marked(self) -> list[object]:
        """All values since the last mark, taken off the stack."""
        start = self.marks.pop()
        items = self.stack[start:]
        del self.stack[start:]
        return items

    def call(self) -> None:
        """What is named below the arguments, called on them."""
        arguments = self.stack.pop()
        what = self.stack.pop()
        if type(arguments) is tuple and arguments and type(arguments[0]) is list:
            self.copied += len(arguments[0])
            if self.copied > MOST_COPIED:
                raise bad("holds a pickle that copies too much")
        self.stack.append(self.called(what, arguments))

    def named(self, name: str) -> object:
        """What a name stands for. Raises `UserError` for one that a pickle may not use."""
        return named(name, self.data)

    def called(self, what: object, arguments: object) -> object:
        """What calling a named thing on these arguments gives."""
        return called(what, arguments)

    def build(self) -> None:
        """Attributes of a value: torch's _metadata, a Namespace's fields. None of them is kept."""
        self.stack.pop()
        if type(self.stack[-1]) not in (dict, TensorInfo, Opaque):
            raise broken()


Action = Callable[[Machine, int], int]  # given where its argument is, gives where it ends


def _constant(value: object) -> Action:
    def action(machine: Machine, at: int) -> int:
        machine.stack.append(value)
        return at

    return action


def _fresh(kind: Callable[[], object]) -> Action:
    def action(machine: Machine, at: int) -> int:
        machine.stack.append(kind())
        return at

    return action


def _fixed(width: int, convert: Callable[[bytes], object]) -> Action:
    def action(machine: Machine, at: int) -> int:
        argument = machine.data[at : at + width]
        if len(argument) < width:
            raise Ended
        machine.stack.append(convert(argument))
        return at + width

    return action


def _sized(width: int, convert: Callable[[bytes], object]) -> Action:
    """An argument behind its own length, of `width` bytes."""

    def action(machine: Machine, at: int) -> int:
        start = at + width
        end = start + int.from_bytes(machine.data[at:start], "little")
        if end > len(machine.data):
            raise Ended
        machine.stack.append(convert(machine.data[start:end]))
        return end

    return action


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise bad("holds a text that is not UTF-8") from None


def _old_text(data: bytes) -> object:
    """Python 2's str: text where it can be read as one."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data


def _integer(data: bytes) -> int:
    return int.from_bytes(data, "little", signed=True)


def _natural(data: bytes) -> int:
    return int.from_bytes(data, "little")


def _real(data: bytes) -> float:
    return float(struct.unpack(">d", data)[0])


def _protocol(machine: Machine, at: int) -> int:
    if machine.data[at] > 5:
        raise bad(f"holds a pickle of protocol {machine.data[at]}; 2 to 5 are read")
    return at + 1


def _frame(machine: Machine, at: int) -> int:
    return at + 8  # a frame is a hint for reading ahead


def _last(count: int) -> Action:
    def action(machine: Machine, at: int) -> int:
        stack = machine.stack
        if len(stack) < count:
            raise broken()
        stack[-count:] = [tuple(stack[-count:])]
        return at

    return action


def _frozenset(machine: Machine, at: int) -> int:
    machine.stack.append(frozenset(map(key_of, machine.marked())))
    return at


def _get(machine: Machine, at: int) -> int:
    machine.stack.append(machine.memo[LONG(machine.data, at)[0]])
    return at + 4


def _memoize(machine: Machine, at: int) -> int:
    machine.memo[len(machine.memo)] = machine.stack[-1]
    return at


def _append(machine: Machine, at: int) -> int:
    item = machine.stack.pop()
    _extend(machine.stack[-1], [item])
    return at


def _appends(machine: Machine, at: int) -> int:
    items = machine.marked()
    _extend(machine.stack[-1], items)
    return at


def _extend(target: object, items: list[object]) -> None:
    if type(target) is not list:
        raise broken()
    target.extend(items)


def _set_item(machine: Machine, at: int) -> int:
    value = machine.stack.pop()
    key = machine.stack.pop()
    _update(machine.stack[-1], [key, value])
    return at


def _set_items(machine: Machine, at: int) -> int:
    items = machine.marked()
    _update(machine.stack[-1], items)
    return at


def _update(target: object, items: list[object]) -> None:
    if type(target) is not dict or len(items) % 2:
        raise broken()
    for key, value in zip(items[::2], items[1::2], strict=True):
        put(target, key, value)


def _add_items(machine: Machine, at: int) -> int:
    items = machine.marked()
    target = machine.stack[-1]
    if type(target) is not set:
        raise broken()
    target.update(map(key_of, items))
    return at


def _global(machine: Machine, at: int) -> int:
    """Two lines: the module, and the name in it."""
    words = []
    for _ in range(2):
        end = machine.data.find(b"\n", at)
        if end < 0:
            raise Ended
        words.append(machine.data[at:end].decode("utf-8", "replace"))
        at = end + 1
    machine.stack.append(machine.named(".".join(words)))
    return at


def _stack_global(machine: Machine, at: int) -> int:
    name, module = machine.stack.pop(), machine.stack.pop()
    if type(name) is not str or type(module) is not str:
        raise broken()
    machine.stack.append(machine.named(f"{module}.{name}"))
    return at


def _call(machine: Machine, at: int) -> int:
    machine.call()
    return at


def _build(machine: Machine, at: int) -> int:
    machine.build()
    return at


def _persistent(machine: Machine, at: int) -> int:
    storage, key, size = stored(machine.stack.pop())
    machine.storages[key] = max(size, machine.storages.get(key, 0))
    machine.stack.append(storage)
    return at


def _refuse(machine: Machine, at: int) -> int:
    code = machine.data[at - 1]
    name = REFUSED.get(code)
    what = f"the pickle instruction {name}" if name else f"byte {code:#04x} as a pickle instruction"
    raise bad(f"uses {what}, which no file of weights does")


REFUSED = {
    ord("0"): "POP", ord("1"): "POP_MARK", ord("2"): "DUP", ord("I"): "INT", ord("L"): "LONG",
    ord("F"): "FLOAT", 0x8B: "LONG4", ord("S"): "STRING", ord("V"): "UNICODE", ord("d"): "DICT", ord("l"): "LIST",
    ord("p"): "PUT", ord("g"): "GET", ord("i"): "INST", ord("o"): "OBJ", ord("P"): "PERSID",
    0x82: "EXT1", 0x83: "EXT2", 0x84: "EXT4", 0x92: "NEWOBJ_EX", 0x97: "NEXT_BUFFER", 0x98: "READONLY_BUFFER",
}  # fmt: skip
KNOWN: dict[int, Action] = {
    0x80: _protocol, 0x95: _frame,
    0x85: _last(1), 0x86: _last(2), 0x87: _last(3),
    ord("N"): _constant(None), 0x88: _constant(True), 0x89: _constant(False), ord(")"): _constant(()),
    ord("]"): _fresh(list), ord("}"): _fresh(dict), 0x8F: _fresh(set),
    ord("M"): _fixed(2, _natural), ord("J"): _fixed(4, _integer),
    ord("G"): _fixed(8, _real), 0x8A: _sized(1, _integer),
    ord("X"): _sized(4, _text), 0x8C: _sized(1, _text), 0x8D: _sized(8, _text),
    ord("B"): _sized(4, bytes), ord("C"): _sized(1, bytes),
    0x8E: _sized(8, bytes), 0x96: _sized(8, bytes),
    ord("U"): _sized(1, _old_text), ord("T"): _sized(4, _old_text),
    ord("j"): _get, 0x94: _memoize, ord("a"): _append, ord("e"): _appends, ord("s"): _set_item, ord("u"): _set_items,
    0x90: _add_items, 0x91: _frozenset,
    ord("c"): _global, 0x93: _stack_global, ord("R"): _call, 0x81: _call, ord("b"): _build, ord("Q"): _persistent,
}  # fmt: skip
ACTIONS = [KNOWN.get(code, _refuse) for code in range(256)]
