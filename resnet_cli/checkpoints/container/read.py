"""A weight file of any kind -> what it holds. The kind is told from the content, not from the name."""

from __future__ import annotations

import os
from shlex import quote
from typing import BinaryIO

from resnet_cli.checkpoints.container.contents import Checkpoint, Opaque, TensorInfo
from resnet_cli.checkpoints.container.faults import HINT, bad
from resnet_cli.checkpoints.container.kinds import kind, unknown
from resnet_cli.errors import UserError
from resnet_cli.files import opened, part
from resnet_cli.garbage import uncollected

__all__ = ["Checkpoint", "Opaque", "TensorInfo", "read"]


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
        hint = problem.hint.replace("FILE", quote(path))
        raise UserError(f"{path!r} {problem.what}", hint, 1) from None
    except OSError as problem:
        raise bad(f"{path!r} cannot be read: {problem.strerror}", HINT) from None


def _read(file: BinaryIO, size: int, folder: str) -> Checkpoint:
    start = part(file, 0, 512)
    layout = kind(start)
    if layout in ("safetensors", "safetensors index"):
        from resnet_cli.checkpoints.container import safetensors

        if layout == "safetensors":
            return Checkpoint(layout, safetensors.tensors(file, size)[0], size)
        return Checkpoint(layout, *safetensors.index(file, size, folder))
    if layout in ("zip", "legacy"):
        from resnet_cli.checkpoints.container import archives

        content = (archives.zipped if layout == "zip" else archives.legacy)(file, size)
        return Checkpoint(layout, content, size)
    raise unknown(start)
