"""What a weight file holds, in plain containers: the tensors' shapes and types, never their numbers."""

from __future__ import annotations

from typing import NamedTuple


class TensorInfo(NamedTuple):
    """A tensor without its numbers; `dtype` as torch says it, without the `torch.`"""

    shape: tuple[int, ...]
    dtype: str


class Opaque:
    """Something named in a pickle that is neither container, number nor tensor; only its name is kept."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"<{self.name}>"


class Checkpoint(NamedTuple):
    """What was read: dict, list, tuple, set, frozenset, str, bytes, int, float, bool, None as leaves
    and branches, with `TensorInfo` and `Opaque` as further leaves. It has no cycles, is at most
    100 levels deep, and its dict keys are never containers.

    `format` is "safetensors", "safetensors index", "zip" or "legacy"; `bytes` is the size on disk of
    all its files.
    """

    format: str
    content: object
    bytes: int


WIDTHS = {  # bytes of one element
    "float64": 8, "float32": 4, "float16": 2, "bfloat16": 2,
    "float8_e4m3fn": 1, "float8_e5m2": 1, "float8_e4m3fnuz": 1, "float8_e5m2fnuz": 1, "float8_e8m0fnu": 1,
    "float4_e2m1fn_x2": 1,
    "complex128": 16, "complex64": 8, "complex32": 4,
    "int64": 8, "int32": 4, "int16": 2, "int8": 1,
    "uint64": 8, "uint32": 4, "uint16": 2, "uint8": 1, "bool": 1,
}  # fmt: skip
MOST_DIMENSIONS = 64  # torch's own limit
MOST_ELEMENTS = 2**63 - 1
