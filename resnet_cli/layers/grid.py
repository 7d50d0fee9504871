"""Grid: what the places along one side of a tensor see of a side of the input: windows that repeat."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain, pairwise
from math import gcd, lcm, prod
from typing import NamedTuple, TypeAlias

MOST_WINDOWS = 4096
"""So many windows of a side are kept, where they do not repeat before."""
Span: TypeAlias = tuple[int, int]
"""First and last pixel; outside of the input where it is padded."""


class Unknown(Exception):
    """What a tensor sees is not known; the text says why."""


class Grid(NamedTuple):
    """What places 0, 1, … see of a side of the input: these ``windows``, then again ``shift`` further.

    Without a shift there are no other places. A window of None sees nothing. ``inside`` is what all places that
    there are see of the input itself, without its padding.
    """

    windows: tuple[Span | None, ...]
    shift: int | None
    inside: Span

    @classmethod
    def of_input(cls, pixels: int) -> Grid:
        """Of the input itself: every place is a pixel."""
        return cls(((0, 0),), 1, (0, pixels - 1))

    def at(self, place: int) -> Span | None:
        """The window of a place, also of one before the first."""
        period = len(self.windows)
        if self.shift is None:
            return self.windows[place] if 0 <= place < period else None
        turns, place = divmod(place, period)
        window = self.windows[place]
        return window and (window[0] + turns * self.shift, window[1] + turns * self.shift)

    def together(self, places: range) -> Span | None:
        """From the first to the last pixel that any of these places sees."""
        if not places:
            return None
        few: Sequence[int] | chain[int] = places
        if self.shift is not None:  # windows that repeat reach furthest at either end
            period = len(self.windows)
            if period == 1 and self.windows[0]:
                (first, last), a, b = self.windows[0], places[0], places[-1]
                ends = (a * self.shift, b * self.shift)
                return first + min(ends), last + max(ends)
            cycle = period // gcd(period, places.step)
            if len(places) > 2 * cycle:
                few = chain(places[:cycle], places[-cycle:])
        windows = [window for place in few if (window := self.at(place))]
        if not windows:
            return None
        return min(first for first, _ in windows), max(last for _, last in windows)

    def through(
        self, places: int, taps: Callable[[int], range], every: int = 1, further: int = 1
    ) -> Grid:
        """Of ``places`` behind windows over this grid, place p behind the ``taps`` of p.

        ``every`` so many places the taps are the same, ``further`` on. Raises `Unknown` for more than
        `MOST_WINDOWS` that do not repeat.
        """
        count, shift = places, None
        if self.shift is not None and every == len(self.windows) == 1:
            window = self.together(taps(0))
            return Grid((window,), self.shift * further, self.inside).among(places)
        if self.shift is not None:
            period = len(self.windows)
            turns = period // gcd(period, further)
            if every * turns <= max(MOST_WINDOWS, places) or places > MOST_WINDOWS:
                count, shift = every * turns, self.shift * further * turns // period
        if count > MOST_WINDOWS:
            raise Unknown(f"more than {MOST_WINDOWS:,} unlike windows along a side are not kept")
        windows = tuple(self.together(taps(place)) for place in range(count))
        return Grid(windows, shift, self.inside).among(places)

    def among(self, places: int) -> Grid:
        """Of so many places alone, some of which may see padding and nothing else."""
        first, last = self.inside
        period, seen = len(self.windows), (last + 1, first - 1)
        for at, window in enumerate(self.windows[:places]):
            if window:
                low, high = window
                shift, turns = self.shift or 0, (places - 1 - at) // period
                if shift < 0:
                    low, high, shift = low + turns * shift, high + turns * shift, -shift
                before, after = 0, turns
                if shift:
                    before = max(0, -((high - first) // shift))
                    after = min(turns, (last - low) // shift)
                if (
                    before <= after
                    and high + before * shift >= first
                    and low + after * shift <= last
                ):
                    seen = (
                        min(seen[0], max(low + before * shift, first)),
                        max(seen[1], min(high + after * shift, last)),
                    )
        return self if seen == self.inside else Grid(self.windows, self.shift, seen)

    def bounded(self, places: int) -> Grid:
        """With nothing beyond so many places, unless what lies there is beyond the border in the input, too."""
        if self.shift is None or len(self.windows) == 1:
            return self
        windows = [*self.windows, self.at(len(self.windows))]
        order = windows if self.shift >= 0 else windows[::-1]
        known = [window for window in order if window]
        if len(known) == len(windows) and all(
            a <= c and b <= d for (a, b), (c, d) in pairwise(known)
        ):
            return self
        if places > MOST_WINDOWS:
            raise Unknown(f"more than {MOST_WINDOWS:,} unlike windows along a side are not kept")
        return self._replace(windows=tuple(map(self.at, range(places))), shift=None)

    def counted(self, digits: Sequence[tuple[int, int]]) -> Grid:
        """With its places counted anew by digits (values, how far apart), the slowest first."""
        if len(digits) == 1 and digits[0][1] == 1:
            return self
        (_, slowest), *others = digits
        below = prod(values for values, _ in others)

        def tap(place: int) -> range:
            turns, place = divmod(place, below)
            at = turns * slowest
            for values, weight in reversed(others):
                place, digit = divmod(place, values)
                at += digit * weight
            return range(at, at + 1)

        return self.through(prod(values for values, _ in digits), tap, below, slowest)

    def over(self, values: int, weight: int, alone: bool = False) -> Grid:
        """With the places that differ in one digit seen together, each from its first on; ``alone``, the first of all."""
        windows = tuple(
            self.together(range(at, at + values * weight, weight))
            for at in range(1 if alone else len(self.windows))
        )
        return Grid(windows, 0 if alone else self.shift, self.inside)

    def only(self) -> Grid:
        """Of its first place, which is all there is."""
        return Grid((self.at(0),), 0, self.inside)

    @property
    def is_one(self) -> bool:
        """Whether all places see alike."""
        return self.shift == 0 and len(self.windows) == 1

    def covers(self, other: Grid) -> bool:
        """Whether its one window has in it all that another grid sees of the input."""
        window = self.windows[0]
        return bool(
            window
            and max(window[0], self.inside[0]) <= other.inside[0]
            and min(window[1], self.inside[1]) >= other.inside[1]
        )

    def either(self, other: Grid, places: int) -> Grid:
        """Of places that see what those in their place in both see."""
        if self == other:
            return self
        inside = (
            min(self.inside[0], other.inside[0]), max(self.inside[1], other.inside[1]),
        )  # fmt: skip
        ours, theirs = len(self.windows), len(other.windows)
        period, shift = lcm(ours, theirs), None
        a, b = self.shift, other.shift
        if a is not None and b is not None and a * theirs == b * ours:
            shift = a * period // ours
        if shift is None or period > MOST_WINDOWS:
            period, shift = places, None
        if period > MOST_WINDOWS:
            raise Unknown("windows of unlike steps meet")
        windows = tuple(hull(self.at(place), other.at(place)) for place in range(period))
        return Grid(windows, shift, inside)


def hull(one: Span | None, other: Span | None) -> Span | None:
    """What either of two windows sees, with what lies between."""
    if one is None or other is None:
        return one or other
    return min(one[0], other[0]), max(one[1], other[1])
