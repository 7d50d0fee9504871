"""The line of somebody's own program that an operation comes from, by a stack trace that torch wrote."""

from __future__ import annotations

import re

from resnet_cli.errors import printable

FRAME = re.compile(r'File "([^"\n]{1,1000})", line (\d{1,9})')
LIBRARY = re.compile(r"(^|[\\/])torch[\\/](nn|_|functional|fx|utils|autograd|export)")


def line_of(trace: str) -> str:
    """FILE:LINE of the innermost frame outside of torch, else of the innermost; "" where there is none."""
    frames = FRAME.findall(trace)
    own = [frame for frame in frames if not LIBRARY.search(frame[0])] or frames
    return printable(f"{own[-1][0]}:{own[-1][1]}", 1000) if own else ""
