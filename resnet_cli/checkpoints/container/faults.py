"""Saying what is wrong with a weight file.

A complaint is a predicate ("is empty"): `read` puts the file's name before it.
"""

from __future__ import annotations

from resnet_cli.errors import UserError, printable

MOST_NAME = 1000  # letters, of a tensor
AGAIN = "it is truncated or damaged; download or save it again"
HINT = "give a file of weights"


def bad(what: str, hint: str = AGAIN) -> UserError:
    """The error for a file that `what`: exit status 1."""
    return UserError(what, hint, 1)


def excerpt(text: str) -> str:
    """Text from a file as it may stand in a complaint: quoted, printable, short."""
    return f"'{printable(text, 80)}'"


def is_name(text: str) -> bool:
    """Whether a text is short and printable, as the names of tensors are."""
    return len(text) <= MOST_NAME and text.isprintable()
