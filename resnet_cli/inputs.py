"""The tensors that a network takes, as people type them: 1x3x224x224, tokens=1x77:int64, and open sizes: batch=8."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from resnet_cli.errors import UserError, printable

DTYPES = ("float32", "float16", "bfloat16", "int64", "int32", "bool")
MOST_DIMENSIONS = 16
LARGEST = 10**9
HINT = "type [NAME=]1x3x224x224[:float32], repeated for several"


class Typed(NamedTuple):
    """An input's shape, with the batch; a ``name`` or a ``dtype`` of None was not given."""

    name: str | None
    shape: tuple[int, ...]
    dtype: str | None = None


class Given(NamedTuple):
    """What is known of the inputs beside the network itself; a ``batch`` of None was not given."""

    inputs: tuple[Typed, ...] = ()
    dims: Mapping[str, int] = {}
    batch: int | None = None


def given(inputs: Iterable[str], dims: Iterable[str], batch: int | None = None) -> Given:
    """What ``--input`` and ``--dim`` say, each as often as typed.

    Raises `UserError` for what is no shape or no size, and for a name that comes twice.
    """
    typed = (*map(_input, inputs),)
    if typed and batch is not None:
        raise UserError(
            "both --input and --batch given", "the shape leads with the batch: 8x3x224x224"
        )
    _once("--input", [each.name for each in typed if each.name is not None])
    sizes = [*map(_dim, dims)]
    _once("--dim", [name for name, _ in sizes])
    return Given(typed, dict(sizes), batch)


def _input(text: str) -> Typed:
    name, equals, rest = text.rpartition("=")
    sides, colon, dtype = rest.partition(":")
    if equals and not name:
        raise UserError(f"--input {printable(text, 80)!r} has no name before its =", HINT)
    if colon and dtype not in DTYPES:
        raise UserError(
            f"--input {printable(text, 80)!r} has an unknown type", f"types: {', '.join(DTYPES)}"
        )
    return Typed(name if equals else None, _shape(text, sides), dtype or None)


def _shape(text: str, sides: str) -> tuple[int, ...]:
    if not re.fullmatch(r"[0-9]{1,10}([x×X][0-9]{1,10})*", sides):
        raise UserError(f"--input {printable(text, 80)!r} is no shape", HINT)
    shape = tuple(map(int, re.split("[x×X]", sides)))
    if len(shape) > MOST_DIMENSIONS:
        raise UserError(
            f"--input {printable(text, 80)!r} has {len(shape)} dimensions",
            f"allowed: up to {MOST_DIMENSIONS}",
        )
    for side in shape:
        if not 1 <= side <= LARGEST:
            raise UserError(
                f"--input {printable(text, 80)!r} has a side of {side}",
                f"allowed: 1 to {LARGEST:,}",
            )
    return shape


def _dim(text: str) -> tuple[str, int]:
    name, _, number = text.rpartition("=")
    if not name or not re.fullmatch("[0-9]{1,10}", number):
        raise UserError(f"--dim {printable(text, 80)!r} is not NAME=N", "type --dim batch=8")
    if not 1 <= int(number) <= LARGEST:
        raise UserError(
            f"--dim {printable(text, 80)!r} is out of range", f"allowed: 1 to {LARGEST:,}"
        )
    return name, int(number)


def _once(option: str, names: list[str]) -> None:
    for at, name in enumerate(names):
        if name in names[:at]:
            raise UserError(f"{option} {printable(name, 40)} is given twice", "give it once")


def matched(typed: Iterable[Typed], names: Iterable[str]) -> dict[str, Typed]:
    """Each typed input by the network's name of it: those without a name in order, among those not named.

    Raises `UserError` for a name that the network does not have, and for more inputs than it has.
    """
    known, typed = [*names], [*typed]
    result: dict[str, Typed] = {}
    for each in typed:
        if each.name is not None:
            if each.name not in known:
                raise UserError(
                    f"no input is named {printable(each.name, 80)!r}",
                    f"inputs: {', '.join(map(printable, known))}",
                )
            result[each.name] = each
    free = [name for name in known if name not in result]
    rest = [each for each in typed if each.name is None]
    if len(rest) > len(free):
        raise UserError(
            f"{len(typed)} inputs given, and the network takes {len(known)}",
            f"inputs: {', '.join(map(printable, known))}",
        )
    return result | dict(zip(free, rest, strict=False))
