"""How a number comes about, step by step: a formula, the same with the numbers in, and what it gives.

Formulas are those of the papers and of torch's layers; every result is the trace's own number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from math import prod

from resnet_cli.analyses import notation
from resnet_cli.analyses.cost import counts
from resnet_cli.errors import UserError, did_you_mean
from resnet_cli.layers import base
from resnet_cli.layers.arithmetic import Shape, Size, Step
from resnet_cli.layers.base import given
from resnet_cli.layers.uncounted import Uncounted
from resnet_cli.tables import Column, Table
from resnet_cli.trace import Row

COLUMNS = (
    Column("step", "step"),
    Column("formula", "formula"),
    Column("numbers", "with the numbers"),
    Column("result", "result", "exact"),
)
PADDING = "⌊(k − 1) / 2⌋"


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


def named(row: Row) -> str:
    """Its path; where that is its block's, with what it does there."""
    return row.path if row.layer.is_module else f"{row.path} {row.layer.operator}"


def added(numbers: Iterable[float]) -> str:
    """`75,008 + 2·70,400`: a sum, with runs of equal numbers as products and no zeros."""
    runs = [(n, len(list(same))) for n, same in groupby(n for n in numbers if n)]
    return " + ".join(f"{times}·{n:,}" if times > 1 else f"{n:,}" for n, times in runs) or "0"


# parameters and MACs


def parameters(row: Row) -> Step:
    """k·k·(c_in / groups)·c_out of a convolution, 2·c of a norm, in·out + out of a linear layer."""
    return base.parameters(row.layer, row.shared)._replace(step=row.path)


def macs(row: Row) -> Step:
    """k·k·(c_in / groups)·c_out·h·w of a convolution, in·out of a linear layer, else 0."""
    return base.macs(row.layer, row.inputs, row.output)._replace(step=row.path)


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
    is_block = len(blocks) == 1 and rows[0].block is not None
    formula = notation.block(rows) if is_block else notation.stage(rows)
    return Step(name, str(formula), added(parts), sum(parts))


def _blocks(rows: Sequence[Row]) -> list[tuple[str, list[Row]]]:
    return [(label, list(block)) for label, block in groupby(rows, key=lambda row: row.label)]


# shapes


def shape(row: Row, image: bool = True) -> list[Step]:
    """Padding, height, width, channels and elements of a layer's output; sides where it is no ``image``'s.

    Raises `UserError` where the shape is not known.
    """
    if isinstance(row.layer, Uncounted) and row.layer.shape is None:
        raise UserError(f"the shape of {row.path} is not known", "explain a layer before it")
    sizes = row.layer.sizes(row.input)
    if len(row.output) == 1:
        return [_step("features", sizes[0])]
    if not (image and len(row.output) == 3):
        return _sides(row, sizes)
    channels, height, width = row.output
    steps = [_step("height", sizes[0]), _step("width", sizes[1])]
    padding = getattr(row.layer, "padding", None)
    if padding is not None and row.layer.window:
        kernel, _, _ = row.layer.window
        usual = (kernel - 1) // 2 == padding
        numbers = PADDING.replace("k", str(kernel)) if usual else f"{padding}"
        steps.insert(0, Step("padding", PADDING if usual else "given", numbers, padding))
    out = "c" if channels == row.input[0] and not row.layer.counted else "c_out"
    elements = f"{channels}·{height}·{width}"
    return [
        *steps,
        Step("channels", out, f"{channels}", channels),
        Step("elements", "c·h·w", elements, prod(row.output)),
    ]


def _sides(row: Row, sizes: Sequence[Size]) -> list[Step]:
    """Each side of an output that is no image's, and its elements."""
    first = len(row.output) - len(sizes)
    every = [*map(given, row.output[:first]), *sizes]
    steps = [_step(f"side {at}", size) for at, size in enumerate(every, 1)]
    return [*steps, Step("elements", "all sides", _times(row.output), prod(row.output))]


def _times(shape: Shape) -> str:
    return "·".join(map(str, shape)) or "1"


def _step(name: str, size: Size) -> Step:
    return Step(name, *size)


def chain(rows: Sequence[Row]) -> list[Step]:
    """Height after each layer, and width where it is another; features or all sides where there is neither."""
    steps = []
    for row in rows:
        if len(row.output) not in (1, 3) or not _is_of_image(row):
            steps.append(Step(_place(row), "all sides", _times(row.output), prod(row.output)))
            continue
        sizes = row.layer.sizes(row.input)
        square = len(set(sizes)) == 1
        for size, side in zip(sizes, (" height", " width"), strict=False):
            steps.append(_step(_place(row) + ("" if square else side), size))
            if square:
                break
    return steps


def halves(row: Row) -> bool:
    """Whether it is on the main path and changes height or width."""
    return row.role == "main" and _is_of_image(row) and row.input[1:] != row.output[1:]


def _is_of_image(row: Row) -> bool:
    """Whether height and width come about by a formula, and are no sides that a matrix product has."""
    layer = row.layer
    if not len(row.input) == len(row.output) == 3 or (layer.counted and not layer.convolution):
        return False
    return any(size != given(size.result) for size in layer.sizes(row.input))


def balance(rows: Sequence[Row]) -> list[Step]:
    """MACs of one layer in each stage: its last k×k convolution that keeps its input's shape."""
    steps = []
    for _, stage in groupby(filter(lambda row: row.stage, rows), key=lambda row: row.stage):
        kept = [
            row for row in stage
            if counts.is_counted(row) and row.layer.window and row.layer.window[0] > 1 and row.input == row.output
        ]  # fmt: skip
        if kept:
            steps.append(macs(kept[-1])._replace(step=_place(kept[-1])))
    return steps


def _place(row: Row) -> str:
    within = row.path.startswith(row.label)  # where there is no label, too
    return row.path if within else f"{row.label} {row.path}"
