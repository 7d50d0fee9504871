"""Stochastic depth: the bodies of blocks left out at random in training, later ones more often."""

from __future__ import annotations

from collections.abc import Iterator

from resnet_cli.errors import UserError
from resnet_cli.layers.elementwise import StochasticDepth
from resnet_cli.layers.tree import Node, Residual, Sequence, Stage

DIGITS = 6
"""Of a rate, which is a quotient."""


def with_stochastic_depth(net: Sequence, rate: float) -> Sequence:
    """The tree with each block's body left out at a rate that grows evenly, from 0 in the first block to ``rate``.

    As torchvision and timm have it; in Huang et al. 2016 (Sec. 3, "linear decay") the first block's is
    ``rate`` / L, of L blocks. Raises `UserError` for a rate that leaves nothing, and for a network without
    residual blocks.
    """
    if not rate:
        return net
    if rate >= 1:
        raise UserError(f"a stochastic depth of {rate:g} leaves nothing", "give less than 1")
    blocks = _blocks(net)
    if not blocks:
        raise UserError(
            "a plain network has no blocks to leave out", "leave out --stochastic-depth"
        )
    rates = iter([round(rate * at / max(blocks - 1, 1), DIGITS) for at in range(blocks)])
    return net._replace(parts=tuple(_dropping(part, rates) for part in net.parts))


def _blocks(node: Node) -> int:
    if isinstance(node, Residual):
        return 1
    return sum(map(_blocks, node.parts)) if isinstance(node, Sequence | Stage) else 0


def _dropping(node: Node, rates: Iterator[float]) -> Node:
    """The same with the rates of its blocks, taken one after another."""
    if isinstance(node, Residual):
        rate = next(rates)
        last = (StochasticDepth("drop_path", rate),) if rate else ()
        return node._replace(body=(*node.body, *last))
    if isinstance(node, Sequence | Stage):
        return node._replace(parts=tuple(_dropping(part, rates) for part in node.parts))
    return node
