"""A weight file of any kind -> what it holds. The kind is told from the content, not from the name."""

from __future__ import annotations

import os
from typing import BinaryIO

from resnet_cli.checkpoints.container.contents import Checkpoint, Opaque, TensorInfo
from resnet_cli.checkpoints.container.faults import HINT, bad
from resnet_cli.errors import UserError
from resnet_cli.files import opened, part
from resnet_cli.garbage import uncollected

__all__ = ["Checkpoint", "Opaque", "TensorInfo", "read"]

READ = ".safetensors, .safetensors.index.json, and .pth, .pt or .bin as torch.save writes them"
OTHERS = (  # offset, the bytes there, what such a file is
    (0, b"version https://git-lfs", "is a Git LFS pointer: the weights were not downloaded"),
    (0, b"\x89HDF\r\n\x1a\n", "is an HDF5 file"),
    (0, b"\x93NUMPY", "is a NumPy array"),
    (0, b"GGUF", "is a GGUF file"),
    (0, b"\x1f\x8b", "is compressed with gzip; unpack it first"),
    (0, b"BZh", "is compressed with bzip2; unpack it first"),
    (0, b"\xfd7zXZ", "is compressed with xz; unpack it first"),
    (0, b"\x28\xb5\x2f\xfd", "is compressed with zstandard; unpack it first"),
    (257, b"ustar", "is a tar archive; unpack it first"),
    (0, b"<", "is a web page or XML, not weights: the download failed"),
)


def read(path: str) -> Checkpoint:
    """What the weight file at `path` holds; only headers and the pickle are read, nothing is run.

    Raises `UserError` (exit 1) for a file that cannot be read, is of no known kind, is damaged, or
    names anything that torch.save would not have written into a file of weights.
    """
    try:
        file, size = opened(path, HINT)
        with file, uncollected():
            return _read(file, size, os.path.dirname(path))
    except UserError as problem:
        raise UserError(f"{path!r} {problem.what}", problem.hint, 1) from None
    except OSError as problem:
        raise bad(f"{path!r} cannot be read: {problem.strerror}", HINT) from None


def _read(file: BinaryIO, size: int, folder: str) -> Checkpoint:
    start = part(file, 0, 512)
    if start[8:9] == b"{" and not _text(start[:8]):  # first: a length may look like what is below
        from resnet_cli.checkpoints.container import safetensors

        content, _ = safetensors.tensors(file, size)
        return Checkpoint("safetensors", content, size)
    if start.startswith(b"PK"):
        from resnet_cli.checkpoints.container import archives

        return Checkpoint("zip", archives.zipped(file, size), size)
    if start.startswith(b"\x80"):
        from resnet_cli.checkpoints.container import archives

        return Checkpoint("legacy", archives.legacy(file, size), size)
    if start.lstrip().startswith(b"{"):
        from resnet_cli.checkpoints.container import safetensors

        return Checkpoint("safetensors index", *safetensors.index(file, size, folder))
    raise bad(_unknown(start), f"known kinds: {READ}")


def _text(start: bytes) -> bool:
    """Whether bytes read as JSON's ASCII; the length before a safetensors header does not."""
    return all(byte in b"\t\n\r" or 32 <= byte < 127 for byte in start)


def _unknown(start: bytes) -> str:
    if not start:
        return "is empty"
    for offset, magic, what in OTHERS:
        if start.startswith(magic, offset):
            return what
    return "is no file of weights of a known kind"
