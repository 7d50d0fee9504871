"""What a number or word in a spec may be, so that every description stays small and computable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from resnet_cli.errors import UserError, did_you_mean

CHANNELS = 1 << 20
BLOCKS = 20_000
PIXELS = 1 << 16
CLASSES = 10_000_000
BATCH = 1_000_000


class Spec(Protocol):
    """What every kind of spec has."""

    @property
    def stages(self) -> tuple[int, ...]: ...
    @property
    def width(self) -> int: ...
    @property
    def num_classes(self) -> int: ...
    @property
    def in_channels(self) -> int: ...
    @property
    def input_size(self) -> tuple[int, int]: ...


def within(what: str, value: int, most: int, least: int = 1) -> None:
    """Raises `UserError` unless least <= value <= most."""
    if not least <= value <= most:
        given = str(value) if abs(value) < 10**20 else "a number of over 20 digits"
        raise UserError(f"{what} {given} is out of range", f"allowed: {least} to {most:,}")


def factor(what: str, value: float) -> None:
    """Raises `UserError` for what multiplies nothing sensibly: nan, negative or huge."""
    if not 0 <= value <= 1000:  # false for nan
        raise UserError(f"{what} {value} is out of range", "allowed: 0 to 1000, such as 0.5")


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


def check_common(spec: Spec) -> None:
    """Raises `UserError` for a size, width or count that no network here can have."""
    for blocks in spec.stages:
        within("stage of length", blocks, BLOCKS)
    within("sum of blocks", sum(spec.stages), BLOCKS)
    within("width", spec.width, CHANNELS)
    within("number of classes", spec.num_classes, CLASSES)
    within("number of input channels", spec.in_channels, CHANNELS)
    for side in spec.input_size:
        within("input size", side, PIXELS)
