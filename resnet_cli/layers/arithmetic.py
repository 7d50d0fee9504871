"""Numbers that can say how they come about: factors with names, products, and the steps of a derivation."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple, TypeAlias

Shape: TypeAlias = tuple[int, ...]


class Factor(NamedTuple):
    """A number by its name in the formula, or a part of it: ``number / parts``, which is whole."""

    symbol: str
    number: int
    per: str = ""
    parts: int = 1


Product: TypeAlias = tuple[Factor, ...]


class Size(NamedTuple):
    """One side of an output: a formula, the same with the numbers in, and its value."""

    formula: str
    numbers: str
    result: int


class Step(NamedTuple):
    """One line of a derivation: ``numbers`` is arithmetic whose value is ``result``.

    That is whole, but for a centre between two pixels.
    """

    step: str
    formula: str
    numbers: str
    result: float


def value(product: Product) -> int:
    """The product's number; also of arrays, element by element."""
    result = 1
    for _, number, _, parts in product:
        result = result * (number // parts)
    return result


def written(step: str, products: Sequence[Product]) -> Step:
    """A sum of products, runs of equal ones once: `k·k·c_in·c_out + c_out`, `3·3·64·64 + 64`."""
    runs = [(product, len(list(same))) for product, same in groupby(products)]
    formula = [_times(times, "·".join(map(_symbol, product))) for product, times in runs]
    numbers = [_times(times, "·".join(map(_number, product))) for product, times in runs]
    result = sum(times * value(product) for product, times in runs)
    return Step(step, " + ".join(formula) or "none", " + ".join(numbers) or "0", result)


def _times(times: int, text: str) -> str:
    return text if times == 1 else f"{times}·{text}"


def _symbol(factor: Factor) -> str:
    return factor.symbol if factor.parts == 1 else f"({factor.symbol} / {factor.per})"


def _number(factor: Factor) -> str:
    return f"{factor.number}" if factor.parts == 1 else f"({factor.number} / {factor.parts})"
