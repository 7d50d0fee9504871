"""Sizes that are expressions: text -> tree -> a number, or tidier text. Nothing is ever evaluated as Python.

Two spellings are read by one grammar: sympy's (`Mul(Integer(2), Symbol('s0', positive=True))`, as
torch.export writes it) and arithmetic (`2*s0`, as ONNX exporters write it). Trees are integers, names, and
tuples of an operator and its operands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

if TYPE_CHECKING:
    from fractions import Fraction

Tree: TypeAlias = "int | str | tuple[str, tuple[Tree, ...]]"

MOST_TEXT = 4_000  # letters
MOST_DEPTH = 60
MOST_SIZE = 2**63 - 1
TOKEN = re.compile(r"\s*(\d+|[^\W\d][\w.]*|'[^']*'|\"[^\"]*\"|//|\*\*|[-+*/%(),=])")
SIGNS = {"+": 1, "-": 1, "*": 2, "/": 2, "//": 2, "%": 2, "**": 4}  # how tightly each binds
NEGATION = 3


class Unreadable(Exception):
    """Text that is no size, or a size that cannot be had; the message says why."""


def tidy(text: str) -> int | str:
    """A size in either spelling as a number or as arithmetic; text that is none stays as it is."""
    try:
        tree = parsed(text)
    except Unreadable:
        return text
    return tree if isinstance(tree, int) else written(tree)


def names(text: str) -> list[str]:
    """The symbols of an expression, each once, in order; a text that is no expression is one itself."""
    try:
        return list(dict.fromkeys(_names(parsed(text))))
    except Unreadable:
        return [text]


def evaluated(text: str, values: Mapping[str, int]) -> int | None:
    """An expression's number; None where a symbol has none. Raises `Unreadable` for what is no size."""
    if text in values:
        return values[text]
    tree = parsed(text)
    if any(name not in values for name in _names(tree)):
        return None
    number = _value(tree, values)
    if number.denominator != 1:
        raise Unreadable(f"is {number}, no whole number")
    return int(number)


def parsed(text: str) -> Tree:
    """The tree of an expression; raises `Unreadable`."""
    if len(text) > MOST_TEXT:
        raise Unreadable("is too long")
    tokens = []
    at, end = 0, len(text.rstrip())
    while at < end:
        match = TOKEN.match(text, at)
        if match is None:
            raise Unreadable("is no arithmetic")
        tokens.append(match[1])
        at = match.end()
    return _Parser(tokens).whole()


class _Parser:
    """Operator precedence over a list of tokens."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens, self.at, self.depth = tokens, 0, 0

    def whole(self) -> Tree:
        tree = self.expression(0)
        if self.at < len(self.tokens):
            self.fail()
        return tree

    def fail(self) -> NoReturn:
        raise Unreadable("is no arithmetic")

    def next(self) -> str:
        if self.at >= len(self.tokens):
            self.fail()
        self.at += 1
        return self.tokens[self.at - 1]

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def expression(self, least: int) -> Tree:
        self.depth += 1
        if self.depth > MOST_DEPTH:
            raise Unreadable("is nested too deeply")
        left = self.operand()
        while SIGNS.get(self.peek(), 0) > least:
            sign = self.next()
            right = self.expression(SIGNS[sign] - (sign == "**"))
            left = _made(sign, (left, right))
        self.depth -= 1
        return left

    def operand(self) -> Tree:
        token = self.next()
        if token == "-":
            return _made("*", (-1, self.expression(NEGATION)))
        if token == "+":
            return self.expression(NEGATION)
        if token == "(":
            tree = self.expression(0)
            if self.next() != ")":
                self.fail()
            return tree
        if token.isdecimal():
            if len(token) > 19:
                raise Unreadable("is too large")
            return int(token)
        if token[0] in "'\"":
            return token[1:-1]
        if not (token[0].isalpha() or token[0] == "_"):
            self.fail()
        return self.call(token) if self.peek() == "(" else token

    def call(self, name: str) -> Tree:
        """A function and its arguments; those with a keyword are assumptions, and left out."""
        self.next()
        arguments: list[Tree] = []
        while self.peek() != ")":
            keyword = self.at + 1 < len(self.tokens) and self.tokens[self.at + 1] == "="
            if keyword:
                self.at += 2
            value = self.expression(0)
            if not keyword:
                arguments.append(value)
            if self.peek() == ",":
                self.next()
            elif self.peek() != ")":
                self.fail()
        self.next()
        if name in ("Symbol", "Integer", "Identity") and len(arguments) == 1:
            return arguments[0]
        if name not in CALLS or len(arguments) not in CALLS[name][0]:
            raise Unreadable(f"has an unknown function {name}")
        return _made(CALLS[name][1], tuple(arguments))


def _made(operator: str, parts: tuple[Tree, ...]) -> Tree:
    if operator == "*" and parts[0] == -1 and len(parts) == 2 and isinstance(parts[1], int):
        return -parts[1]
    return operator, parts


MANY, ONE, TWO = range(1, 1000), (1,), (2,)
CALLS: dict[str, tuple[range | tuple[int, ...], str]] = {  # how many arguments, the operator
    "Add": (MANY, "+"), "Mul": (MANY, "*"), "Max": (MANY, "Max"), "Min": (MANY, "Min"),
    "max": (MANY, "Max"), "min": (MANY, "Min"),
    "FloorDiv": (TWO, "//"), "CleanDiv": (TWO, "//"), "CeilDiv": (TWO, "CeilDiv"),
    "IntTrueDiv": (TWO, "/"), "FloatTrueDiv": (TWO, "/"), "Rational": (TWO, "/"),
    "Mod": (TWO, "%"), "PythonMod": (TWO, "%"), "Pow": (TWO, "**"), "PowByNatural": (TWO, "**"),
    "floor": (ONE, "floor"), "FloorToInt": (ONE, "floor"), "ceiling": (ONE, "ceiling"),
    "ceil": (ONE, "ceiling"), "CeilToInt": (ONE, "ceiling"), "TruncToInt": (ONE, "trunc"),
    "trunc": (ONE, "trunc"), "ToFloat": (ONE, "+"), "Abs": (ONE, "Abs"), "abs": (ONE, "Abs"),
    "ModularIndexing": ((3,), "ModularIndexing"),
}  # fmt: skip


def _names(tree: Tree) -> list[str]:
    if isinstance(tree, str):
        return [tree]
    if isinstance(tree, int):
        return []
    return [name for part in tree[1] for name in _names(part)]


Number: TypeAlias = "int | Fraction"


def _value(tree: Tree, values: Mapping[str, int]) -> Number:
    if isinstance(tree, int):
        return tree
    if isinstance(tree, str):
        return values[tree]
    operator, parts = tree
    number = RULES[operator]([_value(part, values) for part in parts])
    if abs(number.numerator) > MOST_SIZE or number.denominator > MOST_SIZE:
        raise Unreadable("is too large")
    return number


def _sum(x: list[Number]) -> Number:
    return sum(x)


def _product(x: list[Number]) -> Number:
    result: Number = 1
    for number in x:
        result *= number
        if abs(result.numerator) > MOST_SIZE:
            raise Unreadable("is too large")
    return result


def _ratio(a: Number, b: Number) -> Number:
    from fractions import Fraction  # takes milliseconds to load

    if not b:
        raise Unreadable("divides by zero")
    whole = Fraction(a) / Fraction(b)
    return int(whole) if whole.denominator == 1 else whole


def _floor(a: Number, b: Number = 1) -> int:
    if not b:
        raise Unreadable("divides by zero")
    return int(a // b)


def _power(a: Number, b: Number) -> Number:
    if b == -1:
        return _ratio(1, a)
    if b.denominator != 1 or not 0 <= b <= 64:
        raise Unreadable("has an exponent that is not read")
    return a ** int(b)


RULES: dict[str, Callable[[list[Any]], Number]] = {
    "+": lambda x: _sum(x) if len(x) != 2 else x[0] + x[1],
    "-": lambda x: x[0] - x[1],
    "*": _product,
    "/": lambda x: _ratio(x[0], x[1]),
    "//": lambda x: _floor(x[0], x[1]),
    "%": lambda x: x[0] - x[1] * _floor(x[0], x[1]),
    "**": lambda x: _power(x[0], x[1]),
    "Max": max,
    "Min": min,
    "CeilDiv": lambda x: -_floor(-x[0], x[1]),
    "floor": lambda x: _floor(x[0]),
    "ceiling": lambda x: -_floor(-x[0]),
    "trunc": lambda x: int(x[0]),
    "Abs": lambda x: abs(x[0]),
    "ModularIndexing": lambda x: _floor(x[0], x[1]) % x[2] if x[2] else _floor(x[0], x[2]),
}


def written(tree: Tree, within: int = 0) -> str:
    """A tree as arithmetic, in brackets where what it stands in binds tighter."""
    if not isinstance(tree, tuple):
        return f"({tree})" if within and isinstance(tree, int) and tree < 0 else str(tree)
    operator, parts = tree
    if operator not in SIGNS:
        return f"{operator}({', '.join(written(part) for part in parts)})"
    if len(parts) == 1:
        return written(parts[0], within)
    binds = SIGNS[operator]
    if operator == "*" and parts[0] == -1:
        text = "-" + written((operator, parts[1:]) if parts[2:] else parts[1], binds)
        return f"({text})" if within else text
    text = written(parts[0], binds)
    for part in parts[1:]:
        if operator == "+" and isinstance(part, int) and part < 0:
            text += f" - {-part}"
        else:
            sign = f" {operator} " if operator in "+-" else operator
            text += sign + written(part, binds + 1)
    return f"({text})" if binds < within else text
