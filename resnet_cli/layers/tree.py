"""The ways of putting layers together; `resnet_cli.trace` walks them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeAlias

from resnet_cli.layers.base import Layer
from resnet_cli.layers.merging import ADDITION, Add, Scale

Node: TypeAlias = "Layer | Sequence | Residual | Parallel | Stage"


class Sequence(NamedTuple):
    """Parts one after another. A block of a plain network has a ``label``, and a class's ``title``."""

    name: str
    parts: tuple[Node, ...]
    label: str = ""
    title: str = ""


class Residual(NamedTuple):
    """merge(shortcut(x), body(x)) with x = before(input), then ``after``.

    No shortcut is the identity. With ``merge=Scale()`` the body is a gate (squeeze-excitation).
    ``title`` is what a class of such units is called.
    """

    name: str
    body: tuple[Node, ...]
    shortcut: tuple[Node, ...] = ()
    before: tuple[Node, ...] = ()
    after: tuple[Node, ...] = ()
    merge: Add | Scale = ADDITION
    label: str = ""
    title: str = ""


class Parallel(NamedTuple):
    """Branches side by side, what they put out one behind another along the channels.

    Each takes the whole input, or where it is ``split`` in so many parts the one in its place; parts
    beyond the last branch pass as they are. In a ``chain`` each but the first adds to its own what
    the branch before it put out (Gao et al. 2019, Eq. 1).
    """

    name: str
    branches: tuple[Sequence, ...]
    split: int = 0
    chain: bool = False
    label: str = ""


class Stage(NamedTuple):
    """A row of the paper's Table 1, in the stem, body or head: ``part``.

    Torch never sees it: its parts stand at the same path.
    """

    label: str
    parts: tuple[Node, ...]
    part: str = "body"


def replaced(node: Node, change: Callable[[Layer], Layer]) -> Node:
    """The same tree with other leaves; gates are left as they are."""

    def each(parts: Iterable[Node]) -> tuple[Node, ...]:
        return tuple(replaced(part, change) for part in parts)

    if isinstance(node, Layer):
        return change(node)
    if isinstance(node, Parallel):
        branches = (branch._replace(parts=each(branch.parts)) for branch in node.branches)
        return node._replace(branches=(*branches,))
    if not isinstance(node, Residual):
        return node._replace(parts=each(node.parts))
    if node.merge.gate:
        return node
    return node._replace(
        body=each(node.body), shortcut=each(node.shortcut),
        before=each(node.before), after=each(node.after),
    )  # fmt: skip


def children(parts: Iterable[Node]) -> list[Layer | Sequence | Residual | Parallel]:
    """The parts as torch knows them: without stages, and a sequence that stages divide as one."""
    found: list[Layer | Sequence | Residual | Parallel] = []
    for node in parts:
        for part in node.parts if isinstance(node, Stage) else (node,):
            assert not isinstance(part, Stage), "stages do not hold stages"
            last = found[-1] if found else None
            if isinstance(part, Sequence) and isinstance(last, Sequence) and last.name == part.name:
                found[-1] = last._replace(parts=last.parts + part.parts)  # VGG's features
            else:
                found.append(part)
    return found
