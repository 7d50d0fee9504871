"""What a stage or block looks like in the notation of the papers' tables, and numbers of things in words."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import groupby

from resnet_cli.analyses.cost.counts import is_counted
from resnet_cli.tables import Run, Stack
from resnet_cli.trace import Row

MOST_PARTS = 6
"""So many parts of a stage are read at a glance."""


def several(number: int, word: str) -> str:
    """`1 seed`, `5 seeds`."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def stages(traced: Iterable[Sequence[Row]]) -> list[str]:
    """Every stage of several networks, in order, the classifier last."""
    heads = {row.stage: row.part == "head" for rows in traced for row in rows}
    return sorted(heads, key=lambda stage: (heads[stage], stage))


def layer(row: Row) -> str:
    """`3×3, 64`, with the groups as ResNeXt prints them (C=32), or `1000-d fc`."""
    return row.layer.notation(row.input, row.output)


def block(rows: Sequence[Row], beside: str = "") -> Run:
    """`[1×1, 64 | 3×3, 64 | 1×1, 256]`, with its gate where it has one."""
    shown = (row for row in rows if is_counted(row) or (row.role == "branch" and row.layer.counted))
    lines = [*map(layer, shown), gate(rows)]
    return Run(tuple(filter(None, lines)), beside=beside)


def gate(rows: Iterable[Row]) -> str:
    """A gate as its paper prints it: SENet's `fc, [16, 256]`, or `ECA, k=3`; "" where there is none."""
    layers = [row for row in rows if row.role == "gate" and row.macs]
    if all(row.layer.counted for row in layers):
        return f"fc, [{', '.join(str(row.output[0]) for row in layers)}]" if layers else ""
    return ", ".join(map(layer, layers))


def stage(rows: Sequence[Row]) -> Stack:
    """Stem, poolings and runs of equal blocks, `[…] × n` each."""
    singles: list[str] = []
    blocks: list[Run] = []
    for of, group in groupby(rows, key=lambda row: row.block):
        members = list(group)
        if of:
            run = block(members)
            blocks += [run] if run.lines else []  # a module of a block may have no convolution
            continue
        singles += filter(None, map(_strided, members))
    # a run of equal layers (VGG) is folded like a run of blocks
    return Stack(
        (*_folded(singles), *(Run(each.lines, len(list(same))) for each, same in groupby(blocks)))
    )


def units(rows: Sequence[Row], classes: Mapping[str, str], stages: Collection[str] = ()) -> Stack:
    """A stage by the classes of the modules in it: `PatchMerging; [SwinTransformerBlock] × 2`.

    What only holds others is looked into, and so is what is a stage as a whole, of a class that no more than
    ``stages`` are of; ``classes`` are those of modules' paths.
    """
    smaller = {kind for path, kind in classes.items() if path not in stages}
    texts: dict[str, str] = {}
    for row in rows:
        if not row.reads:  # a tensor by itself
            continue
        kinds = ((path, classes.get(path, "")) for path in row.inside)
        made_of = (path for path, kind in kinds if kind in smaller and not _holds(kind))
        unit = next((path for path in made_of if not row.stage.startswith(f"{path}.")), "")
        texts[unit or row.path] = classes[unit] if unit else _strided(row)
    return shortened(_folded(filter(None, texts.values())))


def _holds(kind: str) -> bool:
    """Whether modules of a class only hold others; that of a list is not known, as it is never called."""
    return not kind or "Sequential" in kind


def shortened(parts: Sequence[str | Run]) -> Stack:
    """So many parts as are read, and how many more there are."""
    kept = len(parts) if len(parts) <= MOST_PARTS else MOST_PARTS - 1
    more = (f"and {len(parts) - kept} more",) if len(parts) > kept else ()
    return Stack((*parts[:kept], *more))


def layers(rows: Iterable[Row]) -> Stack:
    """Every layer, by its notation or else its kind: `7×7, 64, stride 2; batch norm; ReLU`, those alike `× n`."""
    return Stack((*_folded([_strided(row) or row.layer.operator for row in rows]),))


def _strided(row: Row) -> str:
    text = layer(row)
    _, stride, _ = row.layer.window or (1, 1, 0)
    return text + (f", stride {stride}" if text and stride > 1 else "")


def _folded(texts: Iterable[str]) -> list[str | Run]:
    folded = [(text, len(list(same))) for text, same in groupby(texts)]
    return [Run((text,), times) if times > 1 else text for text, times in folded]


def shortcut(rows: Sequence[Row]) -> str:
    """What stands beside a block's body: identity, projection, zero padding, dropout, or no shortcut.

    Where the two do not simply meet as a sum, how they do: `identity, 0.5·x + 1·F`.
    """
    join = next((row for row in rows if row.layer.join), None)
    if join is None:
        return "no shortcut"
    kinds = dict.fromkeys(row.layer.on_shortcut for row in rows if row.role == "shortcut")
    kinds.pop("identity", None)
    parts = [" and ".join(kinds) or "identity", layer(join)]
    return ", ".join(filter(None, parts))


def on_box(row: Row, level: str, others: Sequence[Row] = (), units: bool = False) -> str:
    """What Figure 3 writes on a layer's box: `3×3 conv, 64, /2`, `pool, /2`, `fc 1000`.

    ``others`` stand in its gate, or beside it.
    """
    text = row.layer.figure(row.input, row.output)
    if row.layer.gate and level == "block":
        return gate(others).replace("fc, [", f"{row.layer.gate_word}, fc [")
    branches = sum(other.role == "branch" and other.layer.counted for other in others)
    if branches and level == "block":
        text += f", {branches + 1} side by side"
    if units and row.layer.counted:
        text = text.replace(" conv", "")
        return text if level == "block" else f"weight, {text}"
    return row.layer.operator if text == "+" and units and level == "layer" else text
