"""Safetensors: a length (8 bytes, little-endian), a JSON header, the numbers; only the header is read.

The checks follow the safetensors format description (github.com/huggingface/safetensors, "Format").
"""

from __future__ import annotations

import math
import os
from typing import BinaryIO, NoReturn

from resnet_cli.checkpoints.container.contents import (
    MOST_DIMENSIONS,
    MOST_ELEMENTS,
    WIDTHS,
    TensorInfo,
)
from resnet_cli.checkpoints.container.faults import HINT, bad, excerpt, is_name
from resnet_cli.checkpoints.container.json_text import json_object
from resnet_cli.errors import UserError
from resnet_cli.files import opened, part

MOST_HEADER = 16_000_000  # bytes, of all shards together; the format allows 100 MB in each
MOST_MARKS = 1_000_000  # braces, brackets and commas: what JSON takes in memory
TYPES = {
    "F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16",
    "F8_E4M3": "float8_e4m3fn", "F8_E5M2": "float8_e5m2", "F8_E8M0": "float8_e8m0fnu",
    "F8_E4M3FNUZ": "float8_e4m3fnuz", "F8_E5M2FNUZ": "float8_e5m2fnuz", "C64": "complex64",
    "I64": "int64", "I32": "int32", "I16": "int16", "I8": "int8",
    "U64": "uint64", "U32": "uint32", "U16": "uint16", "U8": "uint8", "BOOL": "bool",
}  # fmt: skip


def tensors(
    file: BinaryIO, size: int, most: int = MOST_HEADER
) -> tuple[dict[str, TensorInfo], int]:
    """Name -> tensor of one .safetensors file of `size` bytes in its order; bytes of the header.

    Raises `UserError` where the header is no valid one or does not fit the file.
    """
    length = int.from_bytes(part(file, 0, 8), "little")
    if length > size - 8:
        raise bad(f"claims a header of {length:,} bytes in a file of {size:,}")
    if length > most:
        raise bad(
            f"has a header of {length:,} bytes, over the limit of {most:,}",
            "no weights need as much",
        )
    header = _parsed(part(file, 8, length))
    _check_metadata(header.pop("__metadata__", {}))
    infos: dict[str, TensorInfo] = {}
    places = []
    for name, entry in header.items():
        _check_name(name)
        infos[name], begin, end = _tensor(name, entry)
        places.append((begin, end, name))
    _check_places(sorted(places), size - 8 - length)
    return infos, length


def index(file: BinaryIO, size: int, folder: str) -> tuple[dict[str, TensorInfo], int]:
    """Name -> tensor of a .safetensors.index.json, from its shards in `folder`; bytes of all files.

    Raises `UserError` where a shard is missing, damaged, lies elsewhere, or lacks a tensor.
    """
    if size > MOST_HEADER:
        raise bad(f"is over {MOST_HEADER:,} bytes, too large for an index", HINT)
    places = _parsed(part(file, 0, size)).get("weight_map")
    if not isinstance(places, dict) or not all(type(shard) is str for shard in places.values()):
        raise bad("is JSON without the weight_map of a safetensors index", HINT)
    wanted: dict[str, list[str]] = {}
    for name, shard in places.items():
        _check_name(name)
        wanted.setdefault(shard, []).append(name)
    infos = {}
    left = MOST_HEADER
    for shard, names in wanted.items():
        in_shard, length, more = _shard(shard, folder, left)
        left -= length
        size += more
        for name in names:
            if name not in in_shard:
                raise bad(
                    f"names {excerpt(name)} in shard {excerpt(shard)}, which does not hold it"
                )
            infos[name] = in_shard[name]
    return {name: infos[name] for name in places}, size


def _shard(shard: str, folder: str, most: int) -> tuple[dict[str, TensorInfo], int, int]:
    """Name -> tensor of a shard, bytes of its header, bytes of it all."""
    if not shard or shard in (".", "..") or len(shard) > 255 or not shard.isprintable():
        raise bad(f"names a shard {excerpt(shard)}, which is no file name")
    if any(sign in shard for sign in "/\\:"):  # also absolute, or on another Windows drive
        raise bad(
            f"names a shard outside its own folder: {excerpt(shard)}", "do not trust this file"
        )
    if not shard.endswith(".safetensors"):
        raise bad(
            f"has a shard {excerpt(shard)} that is no .safetensors", "give the shards one by one"
        )
    try:
        file, size = opened(os.path.join(folder, shard), HINT)
        with file:
            return *tensors(file, size, most), size
    except UserError as problem:
        raise bad(f"has a shard {excerpt(shard)} that {problem.what}", problem.hint) from None


def _parsed(text: bytes) -> dict[str, object]:
    """A JSON object without duplicate keys."""
    return json_object(text, MOST_MARKS, object_pairs_hook=_unique, parse_constant=_no_constant)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    entries = dict(pairs)
    if len(entries) != len(pairs):
        for name, _ in pairs:
            if entries.pop(name, pairs) is pairs:  # taken out already
                raise bad(f"holds JSON with {excerpt(name)} twice")
    return entries


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)  # NaN and Infinity are no JSON


def _check_metadata(metadata: object) -> None:
    if not isinstance(metadata, dict) or not all(type(value) is str for value in metadata.values()):
        raise bad("has a __metadata__ that is not of texts alone")


def _check_name(name: str) -> None:
    if not is_name(name):
        raise bad(f"names a tensor {excerpt(name)}: too long or unprintable")


def _tensor(name: str, entry: object) -> tuple[TensorInfo, int, int]:
    """A header's entry as the tensor and where its bytes begin and end."""
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise bad(f"describes {excerpt(name)} not by dtype, shape and data_offsets alone")
    kind = entry["dtype"]
    if type(kind) is not str or kind not in TYPES:
        named = f": {excerpt(kind)}" if type(kind) is str else ""
        raise bad(
            f"gives {excerpt(name)} a dtype of no known kind{named}",
            f"known are {', '.join(TYPES)}",
        )
    dtype = TYPES[kind]
    shape, places = _naturals(entry["shape"]), _naturals(entry["data_offsets"])
    if shape is None or len(shape) > MOST_DIMENSIONS or math.prod(shape) > MOST_ELEMENTS:
        raise bad(
            f"gives {excerpt(name)} a shape that is not of whole numbers from 0, or too large"
        )
    if places is None or len(places) != 2 or places[0] > places[1]:
        raise bad(f"gives {excerpt(name)} data_offsets that are no beginning and end")
    needed, span = math.prod(shape) * WIDTHS[dtype], places[1] - places[0]
    if needed != span:
        raise bad(
            f"gives {excerpt(name)} {span:,} bytes, where its shape and dtype take {needed:,}"
        )
    return TensorInfo(shape, dtype), places[0], places[1]


def _naturals(numbers: object) -> tuple[int, ...] | None:
    if not isinstance(numbers, list):
        return None
    fits = all(type(number) is int and 0 <= number <= MOST_ELEMENTS for number in numbers)
    return tuple(numbers) if fits else None


def _check_places(places: list[tuple[int, int, str]], size: int) -> None:
    """The tensors, by where they begin, follow each other and fill the rest of the file."""
    at = 0
    for begin, end, name in places:
        if begin != at:
            fault = "overlaps the tensor before it" if begin < at else "leaves a hole before it"
            raise bad(f"places {excerpt(name)} so that it {fault}")
        at = end
    if at != size:
        raise bad(f"has {size:,} bytes of numbers, where its header describes {at:,}")
