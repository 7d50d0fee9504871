"""How the depth in a network's name is counted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby

from resnet_cli.analyses.cost.counts import is_counted, totals
from resnet_cli.trace import Row


def formula(rows: Sequence[Row]) -> str:
    """`1 + 3·(3+4+23+3) + 1 = 101`, in words, with the projections named apart.

    Only convolutions and linear layers of the main path count (He et al. 2015, Table 1).
    """
    total = totals(rows)
    outside = [row for row in rows if is_counted(row) and row.label == row.stage]
    blocks: dict[str, list[int]] = {}
    for (at, label), group in groupby(rows, key=lambda row: (row.stage, row.label)):
        if at != label:
            blocks.setdefault(at, []).append(sum(map(is_counted, group)))
    linear = sum(row.layer.kind == "linear" for row in outside)
    if blocks:
        each = next(iter(blocks.values()))[0]
        lengths = "+".join(str(len(b)) for b in blocks.values())
        terms = f"{len(outside) - linear} + {each}·({lengths}) + {linear}"
        words = f"stem, {each} layers a block, fc"
    else:
        convolutions = [row.stage for row in outside if row.layer.kind == "convolution"]
        lengths = "+".join(str(len(list(same))) for _, same in groupby(convolutions))
        terms, words = f"({lengths}) + {linear}", "convolutions, fc"
    text = f"depth: {terms} = {total['layers']} ({words})"
    if total["projections"]:
        text += f"; {total['projections']} projections are not counted"
    return text


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
