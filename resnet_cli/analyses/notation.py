"""What a stage or block looks like in the notation of the papers' tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from resnet_cli.analyses.cost.counts import is_counted
from resnet_cli.trace import Row


def stages(traced: Iterable[Sequence[Row]]) -> list[str]:
    """Every stage of several networks, in order, the classifier last."""
    found = {row.stage for rows in traced for row in rows}
    return sorted(found, key=lambda stage: (stage == "fc", stage))


def layer(row: Row) -> str:
    """`3×3, 64`, with the groups as ResNeXt prints them (C=32), or `1000-d fc`."""
    shape = row.layer.parameters()["weight"]
    if row.layer.kind == "linear":
        return f"{shape[0]}-d fc"
    kernel, _, _ = row.layer.window
    groups = row.input[0] // shape[1]
    return f"{kernel}×{kernel}, {shape[0]}" + (f", C={groups}" if groups > 1 else "")


def block(rows: Sequence[Row]) -> str:
    """`[1×1, 64 | 3×3, 64 | 1×1, 256]`; a gate as SENet prints it: `fc, [16, 256]`."""
    parts = [layer(row) for row in rows if is_counted(row)]
    gates = [row.output[0] for row in rows if row.role == "gate" and row.macs]
    if gates:
        parts.append(f"fc, [{', '.join(map(str, gates))}]")
    return f"[{' | '.join(parts)}]"


def stage(rows: Sequence[Row]) -> str:
    """Stem, poolings and runs of equal blocks, `[…] × n` each."""
    parts: list[str] = []
    runs: list[tuple[str, int]] = []
    for label, group in groupby(rows, key=lambda row: row.label):
        members = list(group)
        if label != members[0].stage:
            text = block(members)
            if runs and runs[-1][0] == text:
                runs[-1] = (text, runs[-1][1] + 1)
            else:
                runs.append((text, 1))
            continue
        for member in members:
            kernel, stride, _ = member.layer.window
            if is_counted(member):
                text = layer(member)
            elif member.layer.kind == "max pool":
                text = f"{kernel}×{kernel} max pool"
            elif member.layer.kind == "average pool" and member.output[1:] == (1, 1):
                text = "average pool"
            else:
                continue
            parts.append(text + (f", stride {stride}" if stride > 1 else ""))
    parts += [f"{text} × {times}" for text, times in runs]
    # a run of equal layers (VGG) is folded like a run of blocks
    folded = [(text, len(list(same))) for text, same in groupby(parts)]
    return "; ".join(f"[{text}] × {times}" if times > 1 else text for text, times in folded)
