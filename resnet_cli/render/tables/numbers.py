"""The only rounding: raw values -> what a person reads."""

from __future__ import annotations

from math import floor, log10
from typing import Any

from resnet_cli.tables import ByteCount, Column, Stack


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


def binary(value: int, exact: bool) -> str:
    """10,436,608 bytes as 9.953 MiB (four digits) unless exact."""
    if exact or abs(value) < 1024:
        return f"{value:,}" if exact else f"{value} B"
    scaled = float(value)
    for unit in ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"):
        if abs(scaled) < 1023.5 or unit == "EiB":
            return f"{scaled:,.{max(0, 4 - len(str(int(abs(scaled)))))}f} {unit}"
        scaled /= 1024
    raise AssertionError("unreachable: the last unit always answers")


def cell(column: Column, value: Any, exact: bool, tall: bool = False) -> str:
    """One value as text; None is an empty cell. ``tall`` text may have several lines."""
    if value is None:
        return ""
    if column.kind.startswith("+"):
        sign = "+" if value > 0 else "−" if value < 0 else ""
        return sign + cell(column._replace(kind=column.kind[1:]), type(value)(abs(value)), exact)
    if column.kind == "count":
        return count(value, exact)
    if column.kind == "exact":
        return f"{value:,}"
    if column.kind == "bytes":
        return binary(value, exact)
    if column.kind == "amount":
        return binary(value, exact) if isinstance(value, ByteCount) else count(value, exact)
    if column.kind == "verdict":
        return "ok" if value else "FAILS"
    if column.kind == "mixed" and isinstance(value, int):
        return count(value, exact)
    if column.kind == "mixed" and isinstance(value, Stack) and tall:
        return stacked(value)
    if column.kind == "mixed" and isinstance(value, tuple):
        return "×".join(map(str, value))
    if column.kind == "numbers":
        return "-".join(map(str, value))
    if column.kind == "shape":
        return "×".join(map(str, value if isinstance(value, tuple) else (value,)))
    if column.kind == "share":
        return f"{100 * value:.1f}%"
    if column.kind == "times":
        return f"{value:.3g}" if value < 999.5 else f"{value:,.0f}"
    if column.kind == "percent":
        return f"{value:g}%"
    if column.kind == "measured":
        return f"{value if exact else round(value, 2):g}%"
    if column.kind == "number":
        return f"{value:.3g}"
    if column.kind == "range":
        ends = [count(n, exact) if isinstance(n, int) else f"{n:.3g}" for n in value]
        return " to ".join(dict.fromkeys(ends))
    if column.kind == "estimate":
        return estimate(*value)
    if column.kind == "bar":
        return bar(value)
    if column.kind == "line":
        return line(**value)
    return str(value)


def estimate(mean: float, error: float | None = None) -> str:
    """A mean with its standard error, of which two digits are shown: 66.7 ± 2.2."""
    if not error:
        return f"{mean:.3g}{'' if error is None else ' ± 0'}"
    digits = max(0, 1 - floor(log10(error)))
    return f"{mean:.{digits}f} ± {error:.{digits}f}"


def stacked(stack: Stack) -> str:
    """Its parts below one another, a run of several lines as the paper's tall bracket."""
    lines: list[str] = []
    for part in stack.parts:
        if isinstance(part, str) or len(part.lines) < 2:
            lines.append(str(part))
            continue
        width, last = max(map(len, part.lines)), len(part.lines) - 1
        for at, line in enumerate(part.lines):
            left, right = "⎡⎤" if not at else "⎣⎦" if at == last else "⎢⎥"
            lines.append(f"{left}{line.ljust(width)}{right}{part.tail if at == last // 2 else ''}")
    return "\n".join(lines)


def bar(share: float, width: int = 16) -> str:
    """A share as a bar of eighths of a character."""
    eighths = round(share * width * 8)
    return "█" * (eighths // 8) + ("▏▎▍▌▋▊▉"[eighths % 8 - 1] if eighths % 8 else "")


def line(values: list[float | None], low: float, high: float, width: int = 48) -> str:
    """Values as a line of eight heights between low and high; of many, evenly chosen ones."""
    length = min(len(values), width)
    chosen = [values[at * (len(values) - 1) // max(length - 1, 1)] for at in range(length)]
    scale = 7 / (high - low) if high > low else 0
    return "".join(" " if v is None else "▁▂▃▄▅▆▇█"[round((v - low) * scale)] for v in chosen)


LEFT = ("text", "bar", "mixed", "line", "numbers", "verdict", "remark")
"""The kinds that are aligned to the left."""


def texts(
    columns: list[Column], rows: list[Any], exact: bool, tall: bool = False
) -> list[list[str]]:
    """Every cell as text."""
    return [[cell(c, v, exact, tall) for c, v in zip(columns, row, strict=True)] for row in rows]
