"""The operators of a .pt2 file run by torch one by one, on tensors without numbers; no pickle in it is opened."""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

import torch
from torch import Tensor

from resnet_cli.graphs.graph import ACTIVATION, Graph, Node, Ref, Value
from resnet_cli.graphs.graph import Tensor as Described
from resnet_cli.graphs.pt2 import leaves
from resnet_cli.graphs.rows import known
from resnet_cli.layers.arithmetic import Shape
from resnet_cli.pytorch.measure import Counting

RUN = frozenset(
    name
    for table in (
        leaves.ELEMENTWISE, leaves.VIEWS, leaves.PARTS, leaves.SPLITS, leaves.COPIES, leaves.SAME,
        leaves.MADE, leaves.REDUCTIONS, leaves.RULES,
    )
    for name in table
) - leaves.STEPS  # fmt: skip
"""aten's operators that are run: those that compute on tensors, and are known not to run step by step."""
PLACES = ("layout", "memory_format", "pin_memory")
"""Arguments that say where numbers lie, which there are none of."""
MOST_PARTS = 100_000


class Replayed(NamedTuple):
    """The shapes that torch gives, and half of its flop counter's rules by module.

    ``left_out`` are the operators that were not run, and how often: after them go the shapes of the file.
    """

    shapes: dict[str, Shape]
    macs: dict[str, int]
    left_out: dict[str, int]


def replayed(graph: Graph) -> Replayed:
    """What torch makes of a graph whose sizes are numbers."""
    tensors = {
        name: _empty(each) for name, each in graph.tensors.items() if each.kind != ACTIVATION
    }
    shapes: dict[str, Shape] = {}
    left_out: Counter[str] = Counter()
    flops: Counter[str] = Counter()
    counter = Counting(flops)
    with torch.no_grad(), counter:
        for node in filter(lambda node: any(node.outputs), graph.nodes):
            counter.path = node.modules[-1].path if node.modules else ""
            flops[counter.path] += 0
            made = _made(node, tensors)
            if made is None:
                name, _ = leaves.base(node.operator)
                if name not in leaves.IGNORED:
                    left_out[name] += 1
            for at, name in enumerate(node.outputs):
                part = made[at] if made and at < len(made) else None
                if name and isinstance(part, Tensor):
                    tensors[name] = part
                    shapes[name] = tuple(part.shape)
                elif name:
                    tensors[name] = _empty(graph.tensors[name])
    return Replayed(shapes, {path: count // 2 for path, count in flops.items()}, dict(left_out))


def _empty(tensor: Described) -> Tensor | None:
    sizes = known(tensor)
    if tensor.shape is None or len(sizes) != len(tensor.shape):
        return None
    return torch.empty(sizes, dtype=getattr(torch, tensor.dtype or "", None), device="meta")


def _made(node: Node, tensors: dict[str, Tensor | None]) -> list[Any] | None:
    """What an operator puts out; None where it is not run, or needs numbers."""
    name, _ = leaves.base(node.operator)
    packet = getattr(torch.ops.aten, node.operator.partition(".")[0], None)
    overload = getattr(packet, node.operator.partition(".")[2] or "default", None)
    if node.domain != "aten" or name not in RUN or overload is None:
        return None
    read = [tensor for tensor in map(tensors.get, node.inputs) if tensor is not None]
    if len(read) < len(node.inputs):
        return None
    if name in leaves.SPLITS and max(read[0].shape, default=0) > MOST_PARTS:
        return None
    arguments = {
        key: _argument(key, value, tensors)
        for key, value in node.attributes.items()
        if key not in PLACES
    }
    try:
        result = overload(**arguments)
    except Exception:  # numbers are missing, or the file's arguments are none of the operator's
        return None
    return [*result] if isinstance(result, tuple | list) else [result]


def _argument(key: str, value: Value, tensors: dict[str, Tensor | None]) -> Any:
    if isinstance(value, Ref):
        return tensors[value.name]
    if isinstance(value, tuple):
        return [_argument(key, part, tensors) for part in value]
    if key == "device":
        return torch.device("meta")
    if key == "dtype" and isinstance(value, str):
        return getattr(torch, value)
    return value
