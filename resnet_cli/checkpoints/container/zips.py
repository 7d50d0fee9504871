"""The central directory of a zip archive, read within limits (PKWARE's APPNOTE, 4.3 and 4.5.3).

Smaller and stricter than the standard library's: it is checked before it is read into memory, and
nothing is ever unpacked.
"""

from __future__ import annotations

import struct
from typing import BinaryIO, NamedTuple

from resnet_cli.checkpoints.container.faults import bad, excerpt
from resnet_cli.files import part

MOST_DIRECTORY = 32 << 20  # bytes
MOST_ENTRIES = 200_000
END = struct.Struct("<4s4H2IH")
LOCATOR = struct.Struct("<4sIQI")
END_64 = struct.Struct("<4sQ2H2I4Q")
ENTRY = struct.Struct("<4s6H3I5H2I")
LOCAL = struct.Struct("<4s5H3I2H")


class Entry(NamedTuple):
    """A file in an archive: `size` bytes behind the local header at `start`.

    `plain` says that they stand there as they are, neither compressed nor encrypted. A `crc` of 0
    is none: torch.save can be told to write none.
    """

    start: int
    size: int
    crc: int
    plain: bool


def entries(file: BinaryIO, size: int) -> dict[str, Entry]:
    """Name -> entry of a zip archive of `size` bytes; raises `UserError` for a damaged one."""
    start, length, count = _directory(file, size)
    if length > MOST_DIRECTORY or count > MOST_ENTRIES:
        raise bad(f"claims {count:,} files in a directory of {length:,} bytes, which is too large")
    if start + length > size:
        raise bad("is truncated: its directory lies beyond its end")
    directory = part(file, start, length)
    by_name: dict[str, Entry] = {}
    at = taken = 0
    for _ in range(count):
        if at + ENTRY.size > len(directory):
            raise bad("has a damaged directory")
        head = ENTRY.unpack_from(directory, at)
        _, _, _, flags, method, _, _, crc, packed, full, named, more, comment, *_, place = head
        at += ENTRY.size
        name = directory[at : at + named].decode("latin-1")
        at += named
        if 0xFFFFFFFF in (packed, full, place):
            full, packed, place = _large(directory[at : at + more], [full, packed, place])
        at += more + comment
        taken += LOCAL.size + packed
        if head[0] != b"PK\1\2" or place + LOCAL.size + packed > start:
            raise bad("has a damaged directory")
        if name in by_name:
            raise bad(f"holds {excerpt(name)} twice")
        by_name[name] = Entry(place, full, crc, method == 0 and packed == full and not flags & 1)
    if taken > start:
        raise bad("holds files that overlap")
    return by_name


def content(file: BinaryIO, entry: Entry) -> bytes:
    """The bytes of a plain entry; raises `UserError` for a damaged one."""
    from binascii import crc32

    head = part(file, entry.start, LOCAL.size)
    if len(head) < LOCAL.size or not head.startswith(b"PK\3\4"):
        raise bad("has a damaged directory")
    *_, named, more = LOCAL.unpack(head)
    data = part(file, entry.start + LOCAL.size + named + more, entry.size)
    if len(data) != entry.size or (entry.crc and crc32(data) != entry.crc):
        raise bad("holds a pickle that does not fit its size and checksum")
    return data


def _directory(file: BinaryIO, size: int) -> tuple[int, int, int]:
    """Where the directory starts, its bytes and its entries, by the end record (of zip64, if any)."""
    tail = part(file, max(0, size - END.size - 0xFFFF), END.size + 0xFFFF)
    at = tail.rfind(b"PK\5\6")
    if at < 0 or at + END.size > len(tail):
        raise bad("is a zip archive without its end")
    _, _, _, _, count, length, start, _ = END.unpack_from(tail, at)
    locator = tail[max(0, at - LOCATOR.size) : at]
    if len(locator) == LOCATOR.size and locator.startswith(b"PK\6\7"):
        record = part(file, min(LOCATOR.unpack(locator)[2], size), END_64.size)
        if len(record) < END_64.size or not record.startswith(b"PK\6\6"):
            raise bad("has a damaged directory")
        *_, count, length, start = END_64.unpack(record)
    return start, length, count


def _large(extra: bytes, sizes: list[int]) -> list[int]:
    """Sizes that are too large for 4 bytes, from the entry's zip64 field."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        at += 4
        if kind == 1:
            for which, size in enumerate(sizes):
                if size == 0xFFFFFFFF:
                    if at + 8 > len(extra):
                        break
                    (sizes[which],) = struct.unpack_from("<Q", extra, at)
                    at += 8
            break
        at += length
    return sizes
