"""What boxes of a column read: the wire from the one before, arcs beside their unit, skips beside the column."""

from __future__ import annotations

from bisect import bisect
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from resnet_cli.drawings import Arc, Box, Skip, Unit

LANES = 4
"""So many skips stand beside one another; what further ones bring is said in words on the box that reads it."""
ARCS = 32
"""So many arcs a unit has."""
WORDS = 2
"""So many are named on a box; of more the number."""


class Shortcut(NamedTuple):
    """Past the boxes behind ``source``, to where ``end`` leaves; ``boxes`` are of the layers on it."""

    source: int
    end: int
    kind: str
    boxes: tuple[Box, ...] = ()


def wired(
    units: Sequence[Unit], reads: Sequence[Mapping[int, str]], shortcuts: Sequence[Shortcut] = ()
) -> tuple[tuple[Unit, ...], tuple[Skip, ...]]:
    """The units with what their boxes read, and the skips beside them.

    ``reads`` has for each box, in order, which others before it it reads, and the kind of arc or skip that
    each would be if it is not the next one.
    """
    unit_of = [at for at, unit in enumerate(units) for _ in unit.boxes]
    place = [at for unit in units for at in range(len(unit.boxes))]
    follows = [at == 0 or at - 1 in before for at, before in enumerate(reads)]
    arcs: dict[int, list[Arc]] = defaultdict(list)
    far: dict[tuple[int, str], list[int]] = defaultdict(list)
    passed: dict[tuple[int, str], tuple[Box, ...]] = defaultdict(tuple)

    def within(source: int, end: int) -> bool:
        """Whether all boxes past the source, on whose wire an arc begins, are of one unit."""
        return follows[source + 1] and unit_of[source + 1] == unit_of[end]

    for source, end, kind, on in shortcuts:
        if within(source, end):
            arcs[unit_of[end]].append(Arc(place[source + 1], place[end] + 1, kind, on, True))
        else:
            far[source, kind].append(end)
            passed[source, kind] += on
    edges = [(source, end) for end, before in enumerate(reads) for source in before if source < end - 1]  # fmt: skip
    for source, end in sorted(edges, key=lambda edge: edge[1] - edge[0]):
        arc = Arc(place[source + 1], place[end], reads[end][source])
        beside = arcs[unit_of[end]]
        if within(source, end) and len(beside) < ARCS and _has_room(arc, beside):
            beside.append(arc)
        else:
            far[source, reads[end][source]].append(end)
    boxes = [box for unit in units for box in unit.boxes]
    skips, words = _laned(far, boxes)
    skips = tuple(skip._replace(boxes=passed[skip.source, skip.kind]) for skip in skips)
    made, first = [], 0
    for at, unit in enumerate(units):
        own = tuple(
            box._replace(follows=follows[first + n], far=words.get(first + n, ()))
            for n, box in enumerate(unit.boxes)
        )
        first += len(own)
        made.append(unit._replace(boxes=own, arcs=tuple(arcs[at])))
    return tuple(made), skips


def _has_room(arc: Arc, beside: Sequence[Arc]) -> bool:
    """Whether an arc crosses none of a unit's arcs, and they have no more than `LANES` lanes with it."""
    for other in beside:
        first, second = sorted([arc, other], key=lambda each: (each.start, -each.end))
        if first.start < second.start < first.end < second.end:
            return False
    return max(Unit((), (*beside, arc)).lanes) < LANES


def _laned(
    far: Mapping[tuple[int, str], Sequence[int]], boxes: Sequence[Box]
) -> tuple[tuple[Skip, ...], dict[int, tuple[str, ...]]]:
    """Skips in lanes, the shortest first, and the words for those without."""
    lanes: list[list[tuple[int, int]]] = [[] for _ in range(LANES)]
    skips: list[Skip] = []
    unnamed: dict[int, list[int]] = defaultdict(list)
    for (source, kind), ends in sorted(far.items(), key=lambda each: max(each[1]) - each[0][0]):
        targets = tuple(sorted(ends))
        span = (source, targets[-1])
        lane = next((at for at, taken in enumerate(lanes) if _is_free(taken, span)), None)
        if lane is None:
            for end in targets:
                unnamed[end].append(source)
        else:
            lanes[lane].insert(bisect(lanes[lane], span), span)
        skips.append(Skip(source, targets, kind, lane))
    return tuple(skips), {end: _words(sources, boxes) for end, sources in unnamed.items()}


def _is_free(taken: Sequence[tuple[int, int]], span: tuple[int, int]) -> bool:
    """Whether a span meets none of those in order that are taken, but at an end."""
    at = bisect(taken, span)
    before = at == 0 or taken[at - 1][1] <= span[0]
    return before and (at == len(taken) or span[1] <= taken[at][0])


def _words(sources: Sequence[int], boxes: Sequence[Box]) -> tuple[str, ...]:
    named = [f"from {(boxes[at].labels or boxes[at].lines)[0]}" for at in sorted(sources)[-WORDS:]]
    more = len(sources) - len(named)
    return (*named, *([f"and {more} more"] if more else []))
