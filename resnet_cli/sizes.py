"""Numbers as people type them: 26M, 4.1G, 8GiB, 1%."""

from __future__ import annotations

import re
from collections.abc import Mapping

from resnet_cli.errors import UserError

COUNTS: dict[str, int] = {
    "": 1,
    **{unit: 1000**power for power, unit in enumerate(("K", "M", "G", "T"), start=1)},
    **{unit: 1000**power for power, unit in enumerate(("k", "m", "g", "t"), start=1)},
}
BYTES: dict[str, int] = {
    **COUNTS,
    "B": 1,
    **{unit: 1000**power for power, unit in enumerate(("KB", "MB", "GB", "TB"), start=1)},
    **{unit: 1024**power for power, unit in enumerate(("KiB", "MiB", "GiB", "TiB"), start=1)},
}
DECIMALS = 9
BILLION = 1_000_000_000
NUMBER = rf"([0-9]{{1,15}})(?:\.([0-9]{{1,{DECIMALS}}}))?"


def count(what: str, text: str) -> int:
    """26M as 26,000,000: K, M, G and T are powers of 1000. Raises `UserError` for all that is not whole."""
    billionths = _billionths(text, COUNTS)
    if billionths is None or billionths % BILLION:
        raise UserError(f"{what} {text[:40]!r} is not a whole number", "such as 12, 26M or 4.1G")
    return billionths // BILLION


def size(what: str, text: str) -> int:
    """24GiB in bytes, cut at a byte: KiB, MiB, ... are powers of 1024, K or KB, ... of 1000.

    Raises `UserError` for all that is no size.
    """
    billionths = _billionths(text, BYTES)
    if billionths is None:
        units = ", ".join(unit for unit in BYTES if len(unit) > 1)
        raise UserError(f"{what} {text[:40]!r} is not a size of memory", f"such as 24GiB; {units}")
    return billionths // BILLION


def share(what: str, text: str) -> int:
    """1% in billionths. Raises `UserError` for all that is no percentage; 0 needs no sign."""
    billionths = _billionths(text, {"%": 1, "": 1})
    if billionths is None or (billionths and not text.rstrip().endswith("%")):
        raise UserError(f"{what} {text[:40]!r} is not a share", "such as 1% or 0.5%")
    return billionths // 100


def _billionths(text: str, units: Mapping[str, int]) -> int | None:
    number = re.fullmatch(rf"{NUMBER} ?([A-Za-z%]{{0,3}})", text.strip())
    if not number or number[3] not in units:
        return None
    return int(number[1] + (number[2] or "").ljust(DECIMALS, "0")) * units[number[3]]
