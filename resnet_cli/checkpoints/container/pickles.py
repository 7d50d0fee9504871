"""A small pickle machine over bytes: it builds plain containers and tensors' shapes, and runs nothing.

Its instructions are in `opcodes`, the names that a pickle may use in `allowed`.
"""

from __future__ import annotations

from struct import error
from typing import NamedTuple

from resnet_cli.checkpoints.container.faults import bad
from resnet_cli.checkpoints.container.opcodes import ACTIONS, LONG, Ended, Machine
from resnet_cli.checkpoints.container.rebuild import broken

MOST_BYTES = 16 << 20
MOST_STEPS = 1_500_000  # so also values on the stack, in the memo and in containers
MOST_DEPTH = 100  # containers in containers
MOST_UNFOLDED = 4_000_000  # parts, where shared ones count each time
CONTAINERS = frozenset((dict, list, tuple, set, frozenset))


class Pickle(NamedTuple):
    """What a pickle holds, the bytes of each storage it names, and where the next byte is."""

    content: object
    storages: dict[str, int]
    end: int


def load(data: bytes, kind: type[Machine] = Machine) -> Pickle:
    """The pickle that the bytes begin with, as a machine of this kind reads it.

    Raises `Ended` where the bytes end too early, and `UserError` for an instruction, a name or a
    structure that is not read.
    """
    machine = kind(data)
    end = _run(machine)
    if len(machine.stack) != 1 or machine.marks:
        raise broken()
    content = machine.stack[0]
    _measured(content, 1, {})
    return Pickle(content, machine.storages, end)


def _run(machine: Machine) -> int:
    """Runs to the end of the pickle, which is the result.

    The instructions that a tensor takes most of stand here in the order of how frequent they are.
    """
    data, stack, marks, memo = machine.data, machine.stack, machine.marks, machine.memo
    at = 0
    try:
        for _ in range(MOST_STEPS):
            code = data[at]
            at += 1
            if code == 0x72:  # LONG_BINPUT
                memo[LONG(data, at)[0]] = stack[-1]
                at += 4
            elif code == 0x71:  # BINPUT
                memo[data[at]] = stack[-1]
                at += 1
            elif code == 0x68:  # BINGET
                stack.append(memo[data[at]])
                at += 1
            elif code == 0x4B:  # BININT1
                stack.append(data[at])
                at += 1
            elif code == 0x28:  # MARK
                marks.append(len(stack))
            elif code == 0x74:  # TUPLE
                start = marks.pop()
                stack[start:] = [tuple(stack[start:])]
            elif code == 0x2E:  # STOP
                return at
            else:
                at = ACTIONS[code](machine, at)
    except error:  # too few bytes for a number
        raise Ended from None
    except (IndexError, KeyError):  # beyond the bytes, an empty stack, nothing in the memo
        raise Ended if at >= len(data) else broken() from None
    raise bad(f"holds a pickle of over {MOST_STEPS:,} steps", "no file of weights takes as many")


def _measured(node: object, depth: int, seen: dict[int, tuple[int, int]]) -> tuple[int, int]:
    """How many parts a container unfolds to, and how many levels; each one is measured once.

    Raises `UserError` beyond `MOST_DEPTH`, which is also where a container in itself ends, and
    beyond `MOST_UNFOLDED`.
    """
    if type(node) not in CONTAINERS or not node:
        return 1, 0
    size, height = 1, 1
    parts = [*node, *node.values()] if type(node) is dict else node
    for part in parts:  # type: ignore[attr-defined]
        kind = type(part)
        if kind is str or kind is bytes:
            size += 1 + (len(part) >> 8)
        elif kind not in CONTAINERS:
            size += 1
        else:
            if depth >= MOST_DEPTH:
                raise bad("nests containers too deeply, or one in itself", "no state dict does")
            more, levels = seen.get(id(part)) or _measured(part, depth + 1, seen)
            size, height = size + more, max(height, levels + 1)
    if size > MOST_UNFOLDED or depth + height > MOST_DEPTH + 1:
        raise bad("unfolds to too many parts, or too deeply", "no state dict does")
    seen[id(node)] = size, height
    return size, height
