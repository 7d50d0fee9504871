"""A .pt2 or .onnx file -> Graph. The kind is told from the content, not from the name."""

from __future__ import annotations

import os
from typing import BinaryIO

from resnet_cli.checkpoints.container.faults import bad
from resnet_cli.errors import UserError
from resnet_cli.files import opened, part
from resnet_cli.garbage import uncollected
from resnet_cli.graphs.graph import Graph

HINT = "give a .pt2 of torch.export.save, or an .onnx"


def read(path: str) -> Graph:
    """The graph that the file at `path` holds; weights are left where they are, nothing is run.

    Raises `UserError` (exit 1) for a file that cannot be read, is of no known kind, or is damaged.
    """
    try:
        file, size = opened(path, HINT)
        with file, uncollected():
            return _read(file, size, os.path.dirname(path))
    except UserError as problem:
        raise UserError(f"{path!r} {problem.what}", problem.hint, 1) from None
    except OSError as problem:
        raise bad(f"{path!r} cannot be read: {problem.strerror}", HINT) from None


def holds_graph(path: str) -> bool:
    """Whether a file is one that `read` is for, by its outline: not weights alone, no other kind of file."""
    try:
        file, size = opened(path, HINT)
        with file:
            if part(file, 0, 2) == b"PK":
                from resnet_cli.graphs.pt2.read import is_program

                return is_program(file, size)
            from resnet_cli.graphs.onnx.read import is_model

            return size > 0 and is_model(file, size)
    except (UserError, OSError):
        return False


def _read(file: BinaryIO, size: int, folder: str) -> Graph:
    start = part(file, 0, 8)
    if not start:
        raise bad("is empty")
    if start.startswith(b"PK"):
        from resnet_cli.graphs.pt2.read import read as read_pt2

        return read_pt2(file, size)
    from resnet_cli.graphs.onnx.read import read as read_onnx

    return read_onnx(file, size, folder)
