"""What a number or word in a spec may be, so that every description stays small and computable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from functools import cache
from typing import Any

from resnet_cli.errors import UserError, did_you_mean

CHANNELS = 1 << 20
BLOCKS = 20_000
PIXELS = 1 << 16
CLASSES = 10_000_000
BATCH = 1_000_000
FACTOR = 1000


def option(
    default: Any, help: str, allowed: Sequence[str] = (), most: int = CHANNELS, least: int = 1,
    in_tensors: bool = True,
) -> Any:  # fmt: skip
    """A field of a spec: its default, and what the command line, TOML and checks say of it.

    Words are of ``allowed``, whole numbers between ``least`` and ``most``, others from 0 to ``most``, or `FACTOR`. ``in_tensors`` is whether
    the names and shapes of a network's weights tell the field's value.
    """
    about = {
        "help": help, "allowed": allowed, "most": most, "least": least, "in_tensors": in_tensors,
    }  # fmt: skip
    return field(metadata=about) if default is None else field(default=default, metadata=about)


def within(what: str, value: int, most: int, least: int = 1) -> None:
    """Raises `UserError` unless least <= value <= most."""
    if not least <= value <= most:
        given = str(value) if abs(value) < 10**20 else "a number of over 20 digits"
        raise UserError(f"{what} {given} is out of range", f"allowed: {least} to {most:,}")


def factor(what: str, value: float, most: int = FACTOR) -> None:
    """Raises `UserError` for what multiplies nothing sensibly: nan, negative or huge."""
    if not 0 <= value <= most:  # false for nan
        raise UserError(f"{what} {value} is out of range", f"allowed: 0 to {most}, such as 0.5")


def one_of(what: str, value: str, allowed: Sequence[str]) -> None:
    """Raises `UserError` unless the value is among the allowed ones."""
    if value not in allowed:
        hint = f"allowed: {', '.join(allowed)}"
        guess = did_you_mean(value, allowed)
        raise UserError(f"no {what} named {value[:80]!r}", f"{guess}; {hint}" if guess else hint)


def number_of_stages(stages: Sequence[int], allowed: Sequence[int]) -> None:
    """Raises `UserError` unless there are as many stages as the family has."""
    if len(stages) not in allowed:
        example = "3,4,6,3" if 4 in allowed else "2,2,3,3,3" if 5 in allowed else "3,3,3"
        raise UserError(
            f"{len(stages)} stages given, where this network has {' or '.join(map(str, allowed))}",
            f"give a number for each, such as --stages {example}",
        )


def widths_of_stages(widths: Sequence[int], stages: Sequence[int]) -> None:
    """Raises `UserError` unless every stage has a width, and none is out of range."""
    if len(widths) != len(stages):
        raise UserError(
            f"{len(widths)} widths given for {len(stages)} stages",
            "give one for each stage, such as --widths 48,104,208,440",
        )
    for width in widths:
        within("width of a stage", width, CHANNELS)


def check(spec: Any) -> None:
    """Raises `UserError` for a field of a spec that is none of what its `option` allows."""
    for key, allowed, most, least in _options(type(spec)):  # type: ignore[arg-type]
        value = getattr(spec, key)
        if allowed:
            one_of(key.replace("_", " "), value, allowed)
        elif type(value) is int:
            within(key.replace("_", " "), value, most, least)
        elif type(value) is float:
            factor(key.replace("_", " "), value, min(most, FACTOR))
    for blocks in spec.stages:
        within("stage of length", blocks, BLOCKS)
    within("sum of blocks", sum(spec.stages), BLOCKS)
    for side in spec.input_size:
        within("input size", side, PIXELS)


@cache
def _options(kind: Any) -> list[tuple[str, Sequence[str], int, int]]:
    """The fields of a kind of spec that have an `option`: words that are allowed, most and least."""
    return [
        (key, of.metadata["allowed"], of.metadata["most"], of.metadata["least"])
        for key, of in kind.__dataclass_fields__.items()
        if of.metadata
    ]
