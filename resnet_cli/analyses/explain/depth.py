"""How the depth in a network's name is counted (He et al. 2015, Table 1)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from resnet_cli.analyses.cost.counts import is_convolution, is_counted, totals
from resnet_cli.analyses.notation import several
from resnet_cli.layers.arithmetic import Step
from resnet_cli.trace import Row


class Depth(NamedTuple):
    """The layers that the papers count: convolutions and linear layers of the main path.

    ``convolutions`` are those outside of blocks, by stage; ``fc`` the linear layers; ``blocks`` how
    many each stage has, and ``each`` the layers of a block, 0 where there are no blocks.
    """

    convolutions: tuple[int, ...]
    blocks: tuple[int, ...]
    each: int
    fc: int

    @property
    def layers(self) -> int:
        """All of them: the depth."""
        return sum(self.convolutions) + self.each * sum(self.blocks) + self.fc


def depth(rows: Sequence[Row]) -> Depth:
    """The depth of a network, in its parts."""
    counted = [row for row in rows if is_counted(row)]
    outside = [row for row in counted if row.block is None]
    convolutions = [row.stage for row in outside if is_convolution(row)]
    blocks = [
        len({row.block for row in stage if row.block})
        for _, stage in groupby(rows, key=lambda row: row.stage)
    ]
    blocks = [number for number in blocks if number]
    return Depth(
        tuple(len(list(same)) for _, same in groupby(convolutions)),
        tuple(blocks),
        (len(counted) - len(outside)) // max(sum(blocks), 1),
        len(outside) - len(convolutions),
    )


def formula(rows: Sequence[Row]) -> str:
    """`1 + 3·(3+4+23+3) + 1 = 101`, in words, with the projections named apart; "" where there is no such depth."""
    of, total = depth(rows), totals(rows)
    projections = total["projections"]
    if total["layers"] != of.layers:
        return ""
    if of.blocks:
        stem = sum(of.convolutions)
        terms = f"{stem} + {of.each}·({'+'.join(map(str, of.blocks))}) + {of.fc}"
        between = " and between the stages" if len(of.convolutions) > 1 else ""
        words = f"stem{between}, {several(of.each, 'layer')} a block, fc"
    else:
        terms = f"({'+'.join(map(str, of.convolutions))}) + {of.fc}"
        words = "convolutions, fc"
    text = f"depth: {terms} = {of.layers} ({words})"
    if not projections:
        return text
    return f"{text}; {several(projections, 'projection')} {'is' if projections == 1 else 'are'} not counted"


def steps(rows: Sequence[Row], name: str) -> list[Step]:
    """The layers that the papers count, then what they leave out, then the family's own formula."""
    of, total = depth(rows), totals(rows)
    stem, text = sum(of.convolutions), " + ".join(map(str, of.blocks))
    if not of.blocks:
        text = " + ".join(map(str, of.convolutions))
        return [
            Step("convolutions", "of all stages", text, stem),
            Step("fc", "linear layers", f"{of.fc}", of.fc),
            Step("depth", "convolutions + fc", f"({text}) + {of.fc}", of.layers),
        ]
    blocks, inside = sum(of.blocks), of.each * sum(of.blocks)
    where = "before and between the blocks" if len(of.convolutions) > 1 else "before the blocks"
    lines = [
        Step("stem", f"convolutions {where}", f"{stem}", stem),
        Step("blocks", "of all stages", text, blocks),
        Step("layers of the blocks", "layers a block · blocks", f"{of.each}·{blocks}", inside),
        Step("fc", "linear layers", f"{of.fc}", of.fc),
        Step("depth", "stem + layers a block · blocks + fc", f"{stem} + {of.each}·({text}) + {of.fc}", of.layers),
    ]  # fmt: skip
    if total["projections"]:
        lines.append(_beside(rows, "projections", "shortcut"))
    branches = _beside(rows, "convolutions of branches", "branch")
    if branches.result:
        lines.append(branches)
    if total["gates"]:
        lines.append(_beside(rows, "convolutions of gates", "gate"))
    linear = sum(
        row.block is not None and is_counted(row) and not is_convolution(row) for row in rows
    )
    beside = (total["projections"], int(branches.result), total["gates"])
    every = [number for number in (stem, inside - linear, *beside) if number]
    numbers = " + ".join(map(str, every))
    lines.append(
        Step("convolutions", "all, in stem, blocks and beside them", numbers, total["convolutions"])
    )
    return lines + _in_the_name(name, of, total["projections"])


def _beside(rows: Sequence[Row], step: str, role: str) -> Step:
    stages = [row.stage for row in rows if row.role == role and is_convolution(row)]
    numbers = " + ".join(str(len(list(same))) for _, same in groupby(stages))
    return Step(step, "not counted, by stage", numbers, len(stages))


def _in_the_name(name: str, of: Depth, projections: int) -> list[Step]:
    """The formulas by which papers name networks; n is the number of blocks in a stage."""
    n = of.blocks[0]
    if sum(of.convolutions) == 3 and not re.search(rf"{of.layers}\b", name):
        numbers = f"1 + {of.each}·({' + '.join(map(str, of.blocks))}) + 1"
        said = "a deep stem's three 3×3 as the 7×7 that they replace"
        return [Step("depth in the name", said, numbers, of.layers - 2)]
    if len(of.blocks) != 3 or len(set(of.blocks)) > 1:
        return []
    if (
        wide(name) and of.each == 2
    ):  # of width 1 it has two projections, and the formula is the same
        said = "6n + 4, as its paper counts"
        if projections == 3:
            said += ": conv1, blocks and three projections, without fc"
        return [Step("depth in the name", said, f"6·{n} + 4", of.layers + 2)]
    said = f"{3 * of.each}n + 2, n blocks in each of 3 stages"
    return [Step("by its formula", said, f"{3 * of.each}·{n} + 2", of.layers)]


def wide(name: str) -> str | None:
    """Why WRN-D-K has a D of 6n + 4 where He et al.'s rule gives 6n + 2; None for other nets.

    Zagoruyko & Komodakis 2016 count the three shortcut convolutions, and not fc; also for k = 1,
    where the first stage has none.
    """
    named = re.fullmatch(r"wrn-(\d+)-(\d+)", name)  # a file's network may be called wrn-anything
    if not named:
        return None
    depth = int(named[1])
    n = (depth - 4) // 6
    missing = ", of which k = 1 has two" if named[2] == "1" else ""
    return f"the {depth} in {name} is 6·{n} + 4: conv1, the blocks and three shortcuts{missing}, without fc"
