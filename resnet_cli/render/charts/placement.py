"""Where the names of points stand so that none covers another, a point or the edge.

Deterministic: each name takes the cheapest of some fixed places around its point, in the order of
crowding, and moves again as long as that is better. Lengths are pixels, y upwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import cos, hypot, pi, sin
from typing import NamedTuple

Place = tuple[float, float]


class Extent(NamedTuple):
    """What a name, marker or frame covers: a rectangle."""

    left: float
    bottom: float
    right: float
    top: float

    def meets(self, other: Extent, gap: float = 0) -> bool:
        """Whether the two are closer than the gap."""
        return (
            self.left < other.right + gap
            and other.left < self.right + gap
            and self.bottom < other.top + gap
            and other.bottom < self.top + gap
        )

    def within(self, other: Extent) -> bool:
        """Whether it lies in the other."""
        return (
            other.left <= self.left
            and other.bottom <= self.bottom
            and self.right <= other.right
            and self.top <= other.top
        )

    def nearest(self, point: Place) -> Place:
        """Its place next to a point."""
        x, y = point
        return min(max(x, self.left), self.right), min(max(y, self.bottom), self.top)

    def distance(self, point: Place) -> float:
        """From a point to its nearest place."""
        x, y = self.nearest(point)
        return hypot(point[0] - x, point[1] - y)

    def crossed(self, start: Place, end: Place) -> bool:
        """Whether a segment runs through it (Liang & Barsky 1984)."""
        enter, leave = 0.0, 1.0
        for a, b, low, high in (
            (start[0], end[0], self.left, self.right),
            (start[1], end[1], self.bottom, self.top),
        ):
            if a == b:
                if not low <= a <= high:
                    return False
                continue
            first, last = sorted(((low - a) / (b - a), (high - a) / (b - a)))
            enter, leave = max(enter, first), min(leave, last)
        return enter < leave


class PlacedName(NamedTuple):
    """Where a name stands, and where its leader ends on it; None where it stands right beside the point."""

    extent: Extent
    leader: Place | None


Choice = tuple[float, PlacedName]
"""A place and what it costs, before the other names are looked at."""
Choices = Sequence[Sequence[Choice]]
"""Those of each name, the cheapest first."""
MISSING = 1e6
"""What a name costs that stands nowhere."""

RINGS = (0.0, 0.5, 1.0, 1.6, 2.3, 3.1, 4.0, 5.0, 6.2, 7.5, 9.0, 11.0, 13.5)
"""Distances between a point and its name, in heights of a name."""
DIRECTIONS = 24
PASSES = 12
NEIGHBOURS = 6


def place(
    points: Sequence[Place],
    sizes: Sequence[Place],
    frame: Extent,
    radius: float,
    lines: Sequence[tuple[Place, Place]] = (),
) -> list[PlacedName | None]:
    """A place in the frame for the name of each point, given widths and heights.

    It never meets another name, nor the marker of a point (of that ``radius``); names and leaders
    keep off ``lines``, points and one another where they can. None for what finds no place at all.
    """
    markers = [Extent(x - radius, y - radius, x + radius, y + radius) for x, y in points]
    choices = [
        [
            (cost, placed)
            for cost, placed in _around(point, size, radius)
            if placed.extent.within(frame) and not any(placed.extent.meets(m, 1) for m in markers)
        ]
        for point, size in zip(points, sizes, strict=True)
    ]
    fixed = []
    for at, each in enumerate(choices):
        with_leaders = [(cost, _with_leader(at, placed, points)) for cost, placed in each]
        fixed.append(
            sorted((c + _strikes(at, p, points, markers, lines), p) for c, p in with_leaders)
        )
    every = range(len(points))
    orders = [
        sorted(every, key=lambda at: -_crowding(at, points)),
        *(sorted(every, key=lambda at: sign * points[at][side]) for side in (0, 1) for sign in (1, -1)),
    ]  # fmt: skip
    settled = [_settled(order, fixed, points) for order in orders]
    best = min(settled, key=lambda chosen: _total(chosen, points))
    return [choice and choice[1] for choice in _improved(best, fixed, points)]


def _settled(
    order: Sequence[int], choices: Choices, points: Sequence[Place]
) -> list[Choice | None]:
    """Each name at its cheapest place beside the others, until none moves."""
    chosen: list[Choice | None] = [None] * len(points)
    for _ in range(PASSES):
        before = list(chosen)
        for at in order:
            chosen[at] = None
            chosen[at] = _cheapest(at, choices[at], chosen, points)
        if chosen == before:
            break
    return chosen


def _improved(
    chosen: list[Choice | None], choices: Choices, points: Sequence[Place]
) -> list[Choice | None]:
    """Where a name has a better place once a neighbour makes room, both move."""
    least = _total(chosen, points)
    for at, (x, y) in enumerate(points):
        near = sorted(range(len(points)), key=lambda i: hypot(points[i][0] - x, points[i][1] - y))
        for other in near[1 : NEIGHBOURS + 1]:
            trial = list(chosen)
            trial[at] = trial[other] = None
            trial[at] = _cheapest(at, choices[at], trial, points)
            trial[other] = _cheapest(other, choices[other], trial, points)
            total = _total(trial, points)
            if total < least:
                chosen, least = trial, total
    return chosen


def _total(chosen: Sequence[Choice | None], points: Sequence[Place]) -> float:
    """What all places cost together."""
    known = [(points[at], choice) for at, choice in enumerate(chosen) if choice]
    pairs = sum(_between(p, a[1], q, b[1]) for (p, a), (q, b) in combinations(known, 2))
    return sum(c[0] for _, c in known) + pairs + MISSING * (len(chosen) - len(known))


def _around(point: Place, size: Place, radius: float) -> list[Choice]:
    """Places around a point with what each costs by itself: far ones more, the right side least."""
    (x, y), (width, height) = point, size
    choices = []
    for ring in RINGS:
        reach = radius + 3 + ring * height
        for step in range(DIRECTIONS):
            angle = 2 * pi * step / DIRECTIONS
            across, up = cos(angle), sin(angle)
            # the name touches the ring with its side, corner or edge that looks at the point
            left = x + across * reach - width * (1 - _towards(across)) / 2
            bottom = y + up * reach - height * (1 - _towards(up)) / 2
            extent = Extent(left, bottom, left + width, bottom + height)
            far = extent.distance(point) > radius + 0.8 * height
            cost = 10 * ring + 2 * (1 - across) + abs(up)
            choices.append((cost, PlacedName(extent, extent.nearest(point) if far else None)))
    return choices


def _with_leader(at: int, placed: PlacedName, points: Sequence[Place]) -> PlacedName:
    """With a leader also where another point is nearly as close to the name as its own."""
    own = placed.extent.distance(points[at])
    height = placed.extent.top - placed.extent.bottom
    if any(placed.extent.distance(p) < own + 0.5 * height for p in points if p != points[at]):
        return placed._replace(leader=placed.extent.nearest(points[at]))
    return placed


def _towards(part: float) -> float:
    """-1, 0 or 1: on which side of the point a name stands; between them it slides along."""
    return max(-1.0, min(1.0, 2.0 * part))


def _crowding(at: int, points: Sequence[Place]) -> float:
    x, y = points[at]
    return sum(1 / (1 + hypot(x - a, y - b)) for a, b in points)


def _strikes(
    at: int,
    placed: PlacedName,
    points: Sequence[Place],
    markers: Sequence[Extent],
    lines: Sequence[tuple[Place, Place]],
) -> float:
    """What it costs that a name stands on lines, or that its leader runs over other points or lines."""
    cost = 25.0 * sum(placed.extent.crossed(*line) for line in lines)
    if placed.leader:
        cost += 8.0
        leader = (points[at], placed.leader)
        for other, marker in enumerate(markers):  # from among those that overlap it must out
            if points[other] != points[at] and marker.crossed(*leader):
                cost += 20.0 if marker.meets(markers[at]) else 200.0
        cost += 8.0 * sum(_cross(leader, line) for line in lines)
    return cost


def _cheapest(
    at: int, choices: Sequence[Choice], chosen: Sequence[Choice | None], points: Sequence[Place]
) -> Choice | None:
    """The best of the places, which come by cost, beside all the names that stand already."""
    others = [(points[i], other[1]) for i, other in enumerate(chosen) if other and i != at]
    best, least = None, MISSING
    for choice in choices:
        cost, placed = choice
        if cost >= least:
            break
        if any(placed.extent.meets(other.extent, 2) for _, other in others):
            continue
        cost += sum(_between(points[at], placed, point, other) for point, other in others)
        if cost < least:
            best, least = choice, cost
    return best


def _between(point: Place, placed: PlacedName, another: Place, other: PlacedName) -> float:
    """What it costs that a leader runs over another's name or leader."""
    cost = 0.0
    if placed.leader and other.extent.crossed(point, placed.leader):
        cost += 200.0
    if other.leader and placed.extent.crossed(another, other.leader):
        cost += 200.0
    if placed.leader and other.leader:
        cost += 100.0 * _cross((point, placed.leader), (another, other.leader))
    return cost


def _cross(one: tuple[Place, Place], other: tuple[Place, Place]) -> bool:
    """Whether two segments cross; those from the same point do not."""
    (a, b), (c, d) = one, other

    def side(p: Place, q: Place, r: Place) -> float:
        return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])

    return side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0
