"""How a number comes about, step by step: a formula, the same with the numbers in, and what it gives.

Formulas are those of the papers and of torch's layers; every result is the trace's own number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from math import prod
from typing import NamedTuple

from resnet_cli.analyses import notation
from resnet_cli.analyses.cost import counts
from resnet_cli.analyses.explain.depth import wide
from resnet_cli.errors import UserError, did_you_mean
from resnet_cli.layers import AdaptiveAvgPool2d, AvgPool2d, PadShortcut
from resnet_cli.tables import Column, Table
from resnet_cli.trace import Row

COLUMNS = (
    Column("step", "step"),
    Column("formula", "formula", drop=1),
    Column("numbers", "with the numbers"),
    Column("result", "result", "exact"),
)
SIZE = "⌊(n + 2p − k) / s⌋ + 1"
PADDING = "⌊(k − 1) / 2⌋"


class Step(NamedTuple):
    """One line: ``numbers`` is arithmetic whose value is ``result``."""

    step: str
    formula: str
    numbers: str
    result: int


def table(steps: Iterable[Step], key: str = "rows", title: str = "") -> Table:
    """The steps as a table."""
    return Table(key, title, COLUMNS, list(steps))


def select(rows: Sequence[Row], layer: str) -> list[Row]:
    """The rows at or below a path of torch's (layer2.0.conv1), else of a paper's label (conv3_1).

    Raises `UserError` with the nearest paths and labels.
    """
    for chosen in (
        lambda row: row.path == layer or row.path.startswith(layer + "."),
        lambda row: row.label == layer,
        lambda row: row.stage == layer,
    ):
        found = list(filter(chosen, rows))
        if found:
            return found
    names = dict.fromkeys(name for row in rows for name in (row.path, row.label, row.stage))
    hint = "all paths: resnet-cli summary MODEL --level layer"
    guess = did_you_mean(layer, list(names)[:5_000])  # likeness takes its time
    raise UserError(f"no layer named {layer[:80]!r}", f"{guess}? {hint}" if guess else hint)


def added(numbers: Iterable[int]) -> str:
    """`75,008 + 2·70,400`: a sum, with runs of equal numbers as products and no zeros."""
    runs = [(n, len(list(same))) for n, same in groupby(n for n in numbers if n)]
    return " + ".join(f"{times}·{n:,}" if times > 1 else f"{n:,}" for n, times in runs) or "0"


# parameters and MACs


def parameters(row: Row) -> Step:
    """k·k·(c_in / groups)·c_out of a convolution, 2·c of a batch norm, in·out + out of a linear layer."""
    shapes = row.layer.parameters()
    formula, numbers = "none", "0"
    if row.layer.kind == "convolution":
        formula, numbers = _kernel(row)
        if "bias" in shapes:
            formula, numbers = f"{formula} + c_out", f"{numbers} + {row.output[0]}"
    elif row.layer.kind == "linear":
        out, inside = shapes["weight"]
        formula, numbers = "in·out + out", f"{inside}·{out} + {out}"
    elif row.layer.kind == "batch norm":
        formula, numbers = "2·c (scale and shift)", f"2·{row.output[0]}"
    return Step(row.path, formula, numbers, counts.parameters(row))


def macs(row: Row) -> Step:
    """k·k·(c_in / groups)·c_out·h·w of a convolution, in·out of a linear layer, else 0."""
    formula, numbers = "none", "0"
    if row.layer.kind == "convolution":
        formula, numbers = _kernel(row)
        formula, numbers = f"{formula}·h·w", f"{numbers}·{row.output[1]}·{row.output[2]}"
    elif row.layer.kind == "linear":
        out, inside = row.layer.parameters()["weight"]
        formula, numbers = "in·out", f"{inside}·{out}"
    return Step(row.path, formula, numbers, row.macs)


def _kernel(row: Row) -> tuple[str, str]:
    kernel, inputs, outputs = row.layer.window[0], row.input[0], row.output[0]
    groups = inputs // row.layer.parameters()["weight"][1]
    if groups == 1:
        return "k·k·c_in·c_out", f"{kernel}·{kernel}·{inputs}·{outputs}"
    return (
        "k·k·(c_in / groups)·c_out",
        f"{kernel}·{kernel}·({inputs} / {groups})·{outputs}",
    )


def ladder(rows: Sequence[Row], explained: Callable[[Row], Step]) -> list[Step]:
    """What the rows add up to: by stage, or by block within one stage, or by layer within one block."""
    if len({row.label for row in rows}) == 1:
        steps = [step for step in map(explained, rows) if step.result] or [explained(rows[0])]
    elif len({row.stage for row in rows}) == 1:
        steps = [_group(name, block, explained) for name, block in _blocks(rows)]
    else:
        stages = groupby(rows, key=lambda row: row.stage)
        steps = [_group(name, list(stage), explained) for name, stage in stages]
    steps = [step for step in steps if step.result] or steps[:1]
    if len(steps) > 1:
        steps.append(Step("total", "", "sum of the above", sum(step.result for step in steps)))
    return steps


def _group(name: str, rows: Sequence[Row], explained: Callable[[Row], Step]) -> Step:
    """A stage as the sum of its blocks, or a block as the sum of its layers."""
    blocks = [[explained(row).result for row in block] for _, block in _blocks(rows)]
    parts = blocks[0] if len(blocks) == 1 else [sum(block) for block in blocks]
    is_block = len(blocks) == 1 and rows[0].label != rows[0].stage
    formula = (notation.block if is_block else notation.stage)(rows)
    return Step(name, formula, added(parts), sum(parts))


def _blocks(rows: Sequence[Row]) -> list[tuple[str, list[Row]]]:
    return [(label, list(block)) for label, block in groupby(rows, key=lambda row: row.label)]


# shapes


def shape(row: Row) -> list[Step]:
    """Padding, height, width, channels and elements of a layer's output."""
    if len(row.output) == 1:
        formula, numbers = "out", f"{row.output[0]}"
        if len(row.input) > 1:
            formula, numbers = "c·h·w", "·".join(map(str, row.input))
        return [Step("features", formula, numbers, row.output[0])]
    kernel, _, padding = row.layer.window
    channels, height, width = row.output
    steps = [_size(row, 1, "height"), _size(row, 2, "width")]
    if row.layer.kind in ("convolution", "max pool"):
        usual = (kernel - 1) // 2 == padding
        numbers = PADDING.replace("k", str(kernel)) if usual else f"{padding}"
        steps.insert(0, Step("padding", PADDING if usual else "given", numbers, padding))
    out = "c_out" if row.layer.kind in ("convolution", "zero padding") else "c"
    elements = f"{channels}·{height}·{width}"
    return [
        *steps,
        Step("channels", out, f"{channels}", channels),
        Step("elements", "c·h·w", elements, prod(row.output)),
    ]


def _size(row: Row, side: int, step: str) -> Step:
    kernel, stride, padding = row.layer.window
    n, result = row.input[side], row.output[side]
    formula, numbers = "n", f"{n}"
    if isinstance(row.layer, AdaptiveAvgPool2d):
        formula, numbers = "fixed, whatever comes in", f"{result}"
    elif isinstance(row.layer, AvgPool2d | PadShortcut):
        formula, numbers = "⌈n / s⌉", f"⌈{n} / {stride}⌉"
    elif row.layer.kind in ("convolution", "max pool"):
        formula, numbers = SIZE, f"⌊({n} + 2·{padding} − {kernel}) / {stride}⌋ + 1"
    return Step(step, formula, numbers, result)


def chain(rows: Sequence[Row]) -> list[Step]:
    """Height after each layer, and width where it is another; features where there is neither."""
    steps = []
    for row in rows:
        if len(row.output) == 1:
            steps.append(shape(row)[0]._replace(step=_place(row)))
            continue
        square = row.input[1] == row.input[2] and row.output[1] == row.output[2]
        for side, name in ((1, " height"), (2, " width"))[: 1 if square else 2]:
            steps.append(_size(row, side, _place(row) + ("" if square else name)))
    return steps


def has_window(row: Row) -> bool:
    """Whether its shape is a matter of arithmetic: not where what comes in goes out."""
    return row.layer.window != (1, 1, 0) or row.layer.kind in (
        "convolution", "linear", "average pool", "flatten",
    )  # fmt: skip


def halves(row: Row) -> bool:
    """Whether it is on the main path and changes height or width."""
    return row.role == "main" and len(row.output) == 3 and row.input[1:] != row.output[1:]


def balance(rows: Sequence[Row]) -> list[Step]:
    """MACs of one layer in each stage: its last k×k convolution that keeps its input's shape."""
    steps = []
    for _, stage in groupby(rows, key=lambda row: row.stage):
        kept = [
            row for row in stage
            if counts.is_counted(row) and row.layer.window[0] > 1 and row.input == row.output
        ]  # fmt: skip
        if kept:
            steps.append(macs(kept[-1])._replace(step=_place(kept[-1])))
    return steps


def _place(row: Row) -> str:
    return row.path if row.path == row.label else f"{row.label} {row.path}"


# depth


def depth(rows: Sequence[Row], name: str) -> list[Step]:
    """The layers that the papers count, then what they leave out, then the family's own formula."""
    counted = [row for row in rows if counts.is_counted(row)]
    outside = [row.layer.kind for row in counted if row.label == row.stage]
    fc = outside.count("linear")
    if len(counted) == len(outside):
        return _depth_without_blocks(counted, fc)
    stem = len(outside) - fc
    total = counts.totals(rows)
    lengths = [
        len({row.label for row in group if row.label != row.stage})
        for _, group in groupby(rows, key=lambda row: row.stage)
    ]
    lengths = [length for length in lengths if length]
    blocks, text = sum(lengths), " + ".join(map(str, lengths))
    each = (len(counted) - len(outside)) // blocks
    inside = each * blocks
    gates = total["convolutions"] - total["projections"] - stem - inside
    every = [n for n in (stem, inside, total["projections"], gates) if n]
    steps = [
        Step("stem", "convolutions before the blocks", f"{stem}", stem),
        Step("blocks", "of all stages", text, blocks),
        Step("layers of the blocks", "layers a block · blocks", f"{each}·{blocks}", inside),
        Step("fc", "linear layers", f"{fc}", fc),
        Step("depth", "stem + layers a block · blocks + fc", f"{stem} + {each}·({text}) + {fc}", total["layers"]),
    ]  # fmt: skip
    if total["projections"]:
        steps.append(_beside(rows, "projections", "shortcut"))
    if gates:
        steps.append(_beside(rows, "convolutions of gates", "gate"))
    steps.append(
        Step("convolutions", "all, in stem, blocks and beside them", " + ".join(map(str, every)),
             total["convolutions"])
    )  # fmt: skip
    return steps + _in_the_name(name, stem, each, lengths, total)


def _depth_without_blocks(counted: Sequence[Row], fc: int) -> list[Step]:
    stages = [row.stage for row in counted if row.layer.kind == "convolution"]
    text = " + ".join(str(len(list(same))) for _, same in groupby(stages))
    return [
        Step("convolutions", "of all stages", text, len(stages)),
        Step("fc", "linear layers", f"{fc}", fc),
        Step("depth", "convolutions + fc", f"({text}) + {fc}", len(stages) + fc),
    ]


def _beside(rows: Sequence[Row], step: str, role: str) -> Step:
    found = [row.stage for row in rows if row.role == role and row.layer.kind == "convolution"]
    numbers = " + ".join(str(len(list(same))) for _, same in groupby(found))
    return Step(step, "not counted, by stage", numbers, len(found))


def _in_the_name(
    name: str, stem: int, each: int, lengths: Sequence[int], total: dict[str, int]
) -> list[Step]:
    """The formulas by which papers name networks; n is the number of blocks in a stage."""
    n = lengths[0]
    inside = f"{each}·({' + '.join(map(str, lengths))})"
    if stem == 3:
        formula = "a deep stem's three 3×3 as the 7×7 that they replace"
        return [Step("depth in the name", formula, f"1 + {inside} + 1", total["layers"] - 2)]
    if len(lengths) != 3 or len(set(lengths)) > 1:
        return []
    if wide(name) and each == 2:  # of width 1 it has two projections, and the formula is the same
        formula = "6n + 4, as its paper counts"
        if total["projections"] == 3:
            formula += ": conv1, blocks and three projections, without fc"
        return [Step("depth in the name", formula, f"6·{n} + 4", total["layers"] + 2)]
    formula = f"{3 * each}n + 2, n blocks in each of 3 stages"
    return [Step("by its formula", formula, f"{3 * each}·{n} + 2", total["layers"])]
