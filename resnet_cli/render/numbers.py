"""The only rounding: raw values -> what a person reads."""

from __future__ import annotations

from typing import Any

from resnet_cli.table import Column


def count(value: int, exact: bool) -> str:
    """9,408 as it is; 25,557,032 as 25.56M (four digits) unless exact."""
    if exact or abs(value) < 10_000:
        return f"{value:,}"
    scaled = float(value)
    for unit in ("", "K", "M", "G", "T", "P", "E", "Z"):
        if abs(scaled) < 999.95 or unit == "Z":
            digits = 0 if unit == "" else max(0, 4 - len(str(int(abs(scaled)))))
            return f"{scaled:,.{digits}f}{unit}"
        scaled /= 1000
    raise AssertionError("unreachable: the last unit always answers")


def cell(column: Column, value: Any, exact: bool) -> str:
    """One value as text; None is an empty cell."""
    if value is None:
        return ""
    if column.kind == "count":
        return count(value, exact)
    if column.kind == "exact":
        return f"{value:,}"
    if column.kind == "ratio":
        return ratio(value)
    if column.kind == "stack" and isinstance(value, int):
        return count(value, exact)
    if column.kind == "shape":
        return "×".join(map(str, value))
    if column.kind == "share":
        return f"{100 * value:.1f}%"
    if column.kind == "bar":
        return bar(value)
    return str(value)


def stacked(text: str) -> str:
    """`[a | b] × 3` as the paper's tall bracket; what is beside it stands above."""
    lines: list[str] = []
    for part in text.split("; "):
        inside, found, times = part.partition("] × ")
        layers = inside.removeprefix("[").split(" | ")
        if not found or len(layers) == 1:
            lines.append(part)
            continue
        width = max(map(len, layers))
        middle = (len(layers) - 1) // 2
        for at, layer in enumerate(layers):
            left, right = "⎡⎤" if not at else "⎣⎦" if at == len(layers) - 1 else "⎢⎥"
            tail = f" × {times}" if at == middle else ""
            lines.append(f"{left}{layer.ljust(width)}{right}{tail}")
    return "\n".join(lines)


def ratio(value: dict[str, float | None]) -> str:
    """The ratios of parameters and MACs to the first: `params 0.059×, MACs 0.059×`."""
    shown = [f"{key} {value[field]:.4g}×" for key, field in (("params", "params"), ("MACs", "macs"))
             if value[field] is not None]  # fmt: skip
    return ", ".join(shown)


def bar(share: float, width: int = 16) -> str:
    """A share as a bar of eighths of a character."""
    eighths = round(share * width * 8)
    return "█" * (eighths // 8) + ("▏▎▍▌▋▊▉"[eighths % 8 - 1] if eighths % 8 else "")


LEFT = ("text", "bar", "stack")
"""The kinds that are aligned to the left."""


def texts(columns: list[Column], rows: list[Any], exact: bool) -> list[list[str]]:
    """Every cell as text."""
    return [[cell(c, v, exact) for c, v in zip(columns, row, strict=True)] for row in rows]
