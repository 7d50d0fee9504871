"""What is typed to be called: NAME, or NAME(64, bias=False) with literal arguments."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from resnet_cli.errors import UserError, printable

MOST_LETTERS = 2000


class Call(NamedTuple):
    """A name, and its arguments by place and by name; ``arguments`` is whether parentheses were typed."""

    name: str
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = MappingProxyType({})
    arguments: bool = False


def parsed(text: str) -> Call:
    """The call that a text is. Raises `UserError` for arguments that are no literals, or are cut off."""
    name, parenthesis, rest = text.strip().partition("(")
    if len(text) > MOST_LETTERS:
        raise UserError(
            f"{printable(text, 80)!r} has {len(text):,} letters", "type fewer than 2,000"
        )
    if not parenthesis:
        return Call(name)
    try:
        call = ast.parse(f"_({rest}", mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        call = None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
        raise UserError(
            f"{printable(text, 80)!r} is no NAME(ARGUMENTS)",
            f"such as '{printable(name, 80)}(64, width=2.0)', in quotes",
        )
    args = tuple(_literal(value) for value in call.args)
    kwargs = {keyword.arg or "**": _literal(keyword.value) for keyword in call.keywords}
    if "**" in kwargs:
        raise UserError("** is no argument", "type each argument as NAME=VALUE")
    return Call(name, args, kwargs, True)


def _literal(value: ast.expr) -> Any:
    try:
        return ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        raise UserError(
            f"{printable(ast.unparse(value), 80)!r} is no literal argument",
            "numbers, texts in quotes, True, False, None, and lists and mappings of these",
        ) from None
