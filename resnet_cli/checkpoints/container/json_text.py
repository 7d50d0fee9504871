"""JSON in a stranger's file."""

from __future__ import annotations

import json
from typing import Any

from resnet_cli.checkpoints.container.faults import bad


def json_object(text: bytes, most_marks: int, **hooks: Any) -> dict[str, Any]:
    """The object, read with the ``hooks`` of `json.loads`.

    Raises `UserError` before parsing for more braces, brackets and commas than ``most_marks``, which is what
    JSON takes in memory, and for what is no object.
    """
    if sum(text.count(mark) for mark in (b"{", b"[", b",")) > most_marks:
        raise bad("holds JSON of too many parts")
    try:
        parsed = json.loads(text.decode(), **hooks)
    except RecursionError:
        raise bad("holds JSON that is nested too deeply") from None
    except ValueError:  # also text that is not UTF-8, and a number of thousands of digits
        raise bad("holds JSON that is not valid") from None
    if not isinstance(parsed, dict):
        raise bad("holds JSON that is no object")
    return parsed
