"""Protobuf's wire format (protobuf.dev, "Encoding"): a message as its fields, what is nested not yet read.

Every length is checked against the message that it stands in, and the work of a whole file is bounded.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from typing import NoReturn, TypeAlias

from resnet_cli.checkpoints.container.faults import bad, excerpt
from resnet_cli.graphs.graph import Dims

MOST_FIELDS = 10_000_000  # of a file, some ten seconds; a graph of 20,000 nodes has a million
MOST_KEPT = 1 << 16  # bytes of a message that is copied
MOST_MAPPED = 8 << 20  # bytes
MOST_AT_ONCE = 1000  # that are not yet taken from these
MOST_TEXT = 256 << 20  # bytes of all its texts
MOST_VALUES = 4_000_000  # numbers of its constants that are kept
MOST_NAME = 10_000  # bytes of one; converters join the names of what they fuse


Bytes: TypeAlias = bytes | mmap.mmap
Span: TypeAlias = tuple[int, int]
Field: TypeAlias = tuple[int, int, int]
"""Number, and start and end of what is sized; of a number its value, and -1."""


def _broken() -> NoReturn:
    raise bad("is no ONNX model, or a damaged one: a part reaches beyond what it is in")


class Wire:
    """A file's bytes, and how much may still be read of them."""

    def __init__(self, data: Bytes) -> None:
        self.data, self.left, self.text_left = data, MOST_FIELDS, MOST_TEXT
        self.values_left = MOST_VALUES
        self.forgotten = 0  # where it was when nothing was mapped
        self.types: dict[bytes, tuple[Dims | None, str | None, str]] = {}  # by their bytes

    def fields(self, start: int, end: int) -> Iterator[Field]:
        """The fields of the message at a place; of fixed 4 and 8 bytes the place, too.

        Raises `UserError` for what is no message.
        """
        if end < start:  # a number, where a message should be
            _broken()
        base = 0
        data: Bytes = self.data
        if end - start <= MOST_KEPT:  # bytes are faster to step through than a mapped file
            data, base, start, end = data[start:end], start, 0, end - start
        at, seen = start, 0
        while at < end:
            seen += 1
            if seen > MOST_AT_ONCE:
                self.spend(seen)
                seen = 0
            tag, at = data[at], at + 1
            if tag > 127:  # numbers of one byte, which most are, without a call
                tag, at = _number(data, at - 1, end)
            kind = tag & 7
            if tag < 8 or at >= end:  # no field is numbered 0, and each has a content
                _broken()
            if kind == 2:
                length, at = data[at], at + 1
                if length > 127:
                    length, at = _number(data, at - 1, end)
                if length > end - at:
                    _broken()
                yield tag >> 3, base + at, base + at + length
                at += length
                if length > MOST_KEPT:
                    self.forget(base + at)
            elif kind == 0:
                value, at = _number(data, at, end)
                yield tag >> 3, value, -1
            elif kind in (1, 5):
                length = 8 if kind == 1 else 4
                if length > end - at:
                    _broken()
                yield tag >> 3, base + at, base + at + length
                at += length
            else:
                _broken()
        self.spend(seen)

    def forget(self, at: int) -> None:
        """Gives back what was mapped so far, every now and then: Linux maps up to two megabytes at each look."""
        if abs(at - self.forgotten) > MOST_MAPPED and isinstance(self.data, mmap.mmap):
            self.forgotten = at
            if hasattr(mmap, "MADV_DONTNEED"):
                self.data.madvise(mmap.MADV_DONTNEED)

    def spend(self, parts: int) -> None:
        """Raises `UserError` where a file has more parts than any network."""
        self.left -= parts
        if self.left < 0:
            raise bad("has more parts than any network", "it is damaged, or made to be slow")

    def text(self, start: int, end: int) -> str:
        """A name; raises `UserError` for one that is too long or unprintable."""
        return name(self.long_text(start, end))

    def long_text(self, start: int, end: int, most: int = MOST_NAME) -> str:
        """A text with whatever is in it; raises `UserError` for one that is too long."""
        if end < start:
            _broken()
        self.text_left -= end - start
        if end - start > most or self.text_left < 0:
            raise bad(f"has a text of {end - start:,} bytes, where a name should be")
        return self.data[start:end].decode(errors="backslashreplace")

    def numbers(self, start: int, end: int) -> list[int]:
        """Packed variable-length integers, signed."""
        numbers = []
        data, at, stop = self.data[start:end], 0, end - start
        self.spend(stop)
        while at < stop:
            value, at = _number(data, at, stop)
            numbers.append(signed(value))
        return numbers

    def floats(self, start: int, end: int, code: str = "f") -> tuple[float, ...]:
        """Packed numbers of 4 bytes, or of 8 where the code is `d`."""
        size = struct.calcsize(code)
        if (end - start) % size:
            _broken()
        return struct.unpack(f"<{(end - start) // size}{code}", self.data[start:end])


def _number(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """A variable-length integer of up to 10 bytes, and where it ends."""
    if at >= end:
        _broken()
    byte = data[at]
    if byte < 128:
        return byte, at + 1
    value, shift = byte & 127, 7
    for place in range(at + 1, min(end, at + 10)):
        byte = data[place]
        value |= (byte & 127) << shift
        if byte < 128:
            return value & 0xFFFF_FFFF_FFFF_FFFF, place + 1
        shift += 7
    _broken()


def signed(value: int) -> int:
    """An integer of 64 bits by two's complement."""
    return value - (1 << 64) if value >> 63 else value


def name(text: str) -> str:
    """The text; raises `UserError` where it is unprintable."""
    if not text.isprintable():
        raise bad(f"has a name that is unprintable: {excerpt(text)}")
    return text
