"""TensorProto, ValueInfoProto and SparseTensorProto: shape, type, and a small constant's numbers."""

from __future__ import annotations

import os
import struct
from math import prod
from typing import NamedTuple

from resnet_cli.checkpoints.container.contents import MOST_DIMENSIONS, MOST_ELEMENTS
from resnet_cli.checkpoints.container.faults import bad, excerpt
from resnet_cli.graphs.graph import CONSTANT, Dim, Dims, Tensor
from resnet_cli.graphs.onnx.wire import Span, Wire, signed
from resnet_cli.graphs.sizes import tidy

MOST_VALUES = 4096  # numbers of a constant that sizes may be computed from
MOST_FILES = 20_000  # of weights
MOST_ALIKE = 200  # bytes of a type that other tensors may have, too
MOST_FLOATS = 64  # of those that are factors of sizes
TYPES = {  # TensorProto.DataType: torch's name, bits, struct's code where sizes may be of it
    1: ("float32", 32, "f"), 2: ("uint8", 8, "B"), 3: ("int8", 8, "b"), 4: ("uint16", 16, "H"),
    5: ("int16", 16, "h"), 6: ("int32", 32, "i"), 7: ("int64", 64, "q"), 8: ("string", 0, ""),
    9: ("bool", 8, "?"), 10: ("float16", 16, "e"), 11: ("float64", 64, "d"), 12: ("uint32", 32, "I"),
    13: ("uint64", 64, "Q"), 14: ("complex64", 64, ""), 15: ("complex128", 128, ""),
    16: ("bfloat16", 16, ""), 17: ("float8_e4m3fn", 8, ""), 18: ("float8_e4m3fnuz", 8, ""),
    19: ("float8_e5m2", 8, ""), 20: ("float8_e5m2fnuz", 8, ""), 21: ("uint4", 4, ""),
    22: ("int4", 4, ""), 23: ("float4_e2m1fn", 4, ""), 24: ("float8_e8m0fnu", 8, ""),
    25: ("uint2", 2, ""), 26: ("int2", 2, ""), 27: ("float6_e2m3fn", 6, ""),
    28: ("float6_e3m2fn", 6, ""),
}  # fmt: skip
IN_FLOATS, IN_INT32, IN_INT64, IN_DOUBLES, IN_UINT64, IN_STRINGS, RAW = 4, 5, 7, 10, 11, 6, 9


class Outside(NamedTuple):
    """The numbers of a tensor in another file, in the folder of the model."""

    location: str
    offset: int
    length: int


def dtype(code: int) -> str | None:
    """torch's name for an element type; None for 0, which is not said."""
    if not code:
        return None
    return TYPES[code][0] if code in TYPES else f"type {code}"


def tensor(wire: Wire, span: Span) -> tuple[Tensor, Outside | None, bool]:
    """A tensor; its place in another file, if that is where it is; whether it has numbers at all.

    Raises `UserError` where they are not as many as shape and type say.
    """
    dims: list[int] = []
    code = 0
    label = ""
    stored: list[tuple[int, int, int]] = []
    entries: dict[str, str] = {}
    elsewhere = False
    for number, start, end in wire.fields(*span):
        if number == 1:
            dims += [signed(start)] if end < 0 else wire.numbers(start, end)
            if len(dims) > MOST_DIMENSIONS:
                raise bad(f"has a tensor of more than {MOST_DIMENSIONS} dimensions")
        elif number == 2 and end < 0:
            code = start
        elif number == 8:
            label = wire.text(start, end)
        elif number in (IN_FLOATS, IN_INT32, IN_INT64, IN_DOUBLES, IN_UINT64, IN_STRINGS, RAW):
            stored.append((number, start, end))
        elif number == 13:
            key, text = entry(wire, (start, end))
            entries[key] = text
        elif number == 14:
            elsewhere = start == 1 and end < 0
    shape = _shape(label, dims)
    if code not in TYPES:
        raise bad(f"gives {excerpt(label)} an element type of no known kind: {code}")
    known, bits, _ = TYPES[code]
    count = prod(shape)
    if elsewhere:
        outside = _outside(label, entries, (count * bits + 7) // 8)
        return Tensor(label, CONSTANT, shape, known), outside, True
    _check_size(label, stored, count, code)
    most = MOST_FLOATS if known.startswith("float") else MOST_VALUES
    wire.values_left -= count if count <= most else 0
    kept = count <= most and wire.values_left >= 0
    value = _value(wire, stored, code, count) if kept else None
    return Tensor(label, CONSTANT, shape, known, value), None, bool(stored) or not count


def _shape(label: str, dims: list[int]) -> tuple[int, ...]:
    if any(size < 0 for size in dims) or prod(dims) > MOST_ELEMENTS:
        raise bad(f"gives {excerpt(label)} a shape with a negative size, or too large")
    return tuple(dims)


def _check_size(label: str, stored: list[tuple[int, int, int]], count: int, code: int) -> None:
    """What is stored takes the bytes that shape and type say, as far as the lengths tell."""
    for number, start, end in stored:
        length = end - start
        bits = TYPES[code][1]
        if number == RAW and bits and length and length != (count * bits + 7) // 8:
            needed = (count * bits + 7) // 8
            raise bad(
                f"gives {excerpt(label)} {length:,} bytes, where its shape and type take {needed:,}"
            )
        width = {IN_FLOATS: 4, IN_DOUBLES: 8}.get(number)
        if width and end >= 0 and length not in (width, width * count * (1 + (code in (14, 15)))):
            raise bad(f"gives {excerpt(label)} {length // width:,} numbers for {count:,}")


def _value(
    wire: Wire, stored: list[tuple[int, int, int]], code: int, count: int
) -> tuple[int | float, ...] | None:
    """The numbers of a small constant; None of a kind that no size is computed from."""
    kind = TYPES[code][2]
    numbers: list[int | float] = []
    for number, start, end in stored:
        if number == RAW and kind:
            if start == end:
                continue
            if end - start != count * struct.calcsize(kind):
                return None
            numbers += struct.unpack(f"<{count}{kind}", wire.data[start:end])
        elif number in (IN_INT32, IN_INT64, IN_UINT64) and code not in (10, 16):
            numbers += [signed(start)] if end < 0 else wire.numbers(start, end)
        elif number == IN_FLOATS and code == 1:
            numbers += wire.floats(start, end)
        elif number == IN_DOUBLES and code == 11:
            numbers += wire.floats(start, end, "d")
        else:
            return None
        if len(numbers) > count:
            return None
    if kind in "fed" and any(n != n or n in (float("inf"), float("-inf")) for n in numbers):
        return None
    return tuple(map(int, numbers)) if kind == "?" else _whole(numbers, count)


def _whole(numbers: list[int | float], count: int) -> tuple[int | float, ...] | None:
    return tuple(numbers) if len(numbers) == count else None


def entry(wire: Wire, span: Span, most: int = 1 << 20) -> tuple[str, str]:
    """A StringStringEntryProto: key and value, the value with whatever is in it."""
    key = value = ""
    for number, start, end in wire.fields(*span):
        if number == 1:
            key = wire.text(start, end)
        elif number == 2:
            value = wire.long_text(start, end, most)
    return key, value


def _outside(label: str, entries: dict[str, str], needed: int) -> Outside:
    location = entries.get("location", "")
    numbers = []
    for key, usual in (("offset", 0), ("length", needed)):
        text = entries.get(key, str(usual))
        if not text.isascii() or not text.isdecimal() or len(text) > 19:
            raise bad(f"places {excerpt(label)} in another file by no number: {excerpt(text)}")
        numbers.append(int(text))
    if numbers[1] != needed and needed:
        raise bad(
            f"gives {excerpt(label)} {numbers[1]:,} bytes, where its shape and type take {needed:,}"
        )
    return Outside(location, *numbers)


def check_outside(parts: dict[str, int], folder: str) -> list[str]:
    """Notes on the files that tensors lie in; location -> the bytes that it needs.

    Raises `UserError` for one outside the model's folder, or too short. Nothing of them is read.
    """
    missing = []
    if len(parts) > MOST_FILES:
        raise bad(f"has its weights in {len(parts):,} files")
    for location, needed in parts.items():
        steps = location.replace("\\", "/").split("/")
        if not location.isprintable() or not location or len(location) > 1000:
            raise bad(f"has weights in a file of no name: {excerpt(location)}")
        if ".." in steps or not steps[0] or ":" in steps[0]:  # also another Windows drive
            raise bad(
                f"has weights outside its own folder: {excerpt(location)}", "do not trust this file"
            )
        try:  # also by a link that lies there, as in the caches of model hubs: only its size is asked
            size = os.stat(os.path.join(folder, *steps)).st_size
        except OSError:
            missing.append(location)
            continue
        if size < needed:
            raise bad(
                f"needs {needed:,} bytes of {excerpt(location)}, which has {size:,}",
                "download that file again",
            )
    if not missing:
        return []
    more = f" and {len(missing) - 1} more" if missing[1:] else ""
    return [
        f"its weights are in {excerpt(missing[0])}{more}, which is not there; no number needs them"
    ]


def value_info(wire: Wire, span: Span) -> tuple[str, Dims | None, str | None, str]:
    """Name, shape, type, and what kind of value it is where that is no tensor ("sequence")."""
    label = ""
    shape: Dims | None = None
    known = None
    other = ""
    for number, start, end in wire.fields(*span):
        if number == 1:
            label = wire.text(start, end)
        elif number == 2:
            shape, known, other = _type(wire, (start, end))
    return label, shape, known, other


KINDS = {4: "sequence", 5: "map", 7: "opaque", 9: "optional"}


def _type(wire: Wire, span: Span) -> tuple[Dims | None, str | None, str]:
    """Shape, element type and kind; one that many tensors have is read once."""
    start, end = span
    text = wire.data[start:end] if 0 <= end - start <= MOST_ALIKE else b""
    known = wire.types.get(text) or _new_type(wire, span)
    if text:
        wire.types[text] = known
    return known


def _new_type(wire: Wire, span: Span) -> tuple[Dims | None, str | None, str]:
    shape: Dims | None = None
    known = None
    other = ""
    for number, start, end in wire.fields(*span):
        if number in (1, 8):
            for inner, begin, stop in wire.fields(start, end):
                if inner == 1 and stop < 0:
                    known = dtype(begin)
                elif inner == 2:
                    shape = _dims(wire, (begin, stop))
        elif number in KINDS:
            other = KINDS[number]
    return shape, known, other


def _dims(wire: Wire, span: Span) -> Dims:
    dims: list[Dim] = []
    for number, start, end in wire.fields(*span):
        if number == 1:
            dims.append(_dim(wire, (start, end)))
            if len(dims) > MOST_DIMENSIONS:
                raise bad(f"has a tensor of more than {MOST_DIMENSIONS} dimensions")
    return tuple(dims)


def _dim(wire: Wire, span: Span) -> Dim:
    size: Dim = None
    for number, start, end in wire.fields(*span):
        if number == 1 and end < 0:
            value = signed(start)
            if value > MOST_ELEMENTS:
                raise bad(f"has a shape with a size of {value:,}")
            size = value if value >= 0 else None  # -1, as some write what is open
        elif number == 2:
            text = wire.text(start, end)
            size = tidy(text) if text.strip() and text != "?" else None
    return size
