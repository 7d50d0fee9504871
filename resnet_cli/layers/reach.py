"""Reach: what the neurons of a layer see of one side of the input, and how layers widen it.

Araujo et al. 2019, "Computing Receptive Fields of Convolutional Neural Networks" (Distill),
equations 2 and 4: a kernel of k adds (k − 1) · stride pixels, a padding of p moves the window
p · stride pixels out. Where two branches meet a neuron sees what either of them sees.
"""

from __future__ import annotations

from typing import NamedTuple


class Reach(NamedTuple):
    """What the neurons of a layer see of the input's rows (or columns), in pixels.

    The first neuron sees ``size`` pixels from ``start`` on, which is negative in the padding; each
    later one sees ``stride`` further (0: unevenly, or there is one neuron alone). All of them
    together see ``extent`` pixels from ``start`` on. A ``size`` of 0 is not known.
    """

    start: int
    size: int
    stride: int
    extent: int

    @classmethod
    def of_input(cls, pixels: int) -> Reach:
        """Of the input itself: every neuron is a pixel."""
        return cls(0, 1, 1, pixels)

    @property
    def centre(self) -> float:
        """The middle of the first neuron's window: a pixel, or half way between two."""
        twice = 2 * self.start + self.size - 1
        return twice / 2 if twice % 2 else twice // 2

    def seen(self, neuron: int, pixels: int) -> tuple[int, int]:
        """First and last pixel that a neuron sees of an input of so many pixels."""
        first = self.start + neuron * self.stride
        return max(first, 0), min(first + self.size, pixels) - 1

    def through(self, kernel: int, stride: int, padding: int, neurons: int) -> Reach:
        """Of the ``neurons`` behind a window."""
        if not self.size:
            return self
        size, step = self.size + (kernel - 1) * self.stride, self.stride * stride
        return Reach(self.start - padding * self.stride, size, step, size + (neurons - 1) * step)

    def whole(self) -> Reach:
        """Of a neuron that sees what all of them see."""
        return self._replace(size=self.extent, stride=0)

    def either(self, other: Reach) -> Reach:
        """Of neurons that see what those in their place in both see; not known where those stand unequally far apart."""
        if not (self.size and other.size) or self.stride != other.stride:
            return UNKNOWN
        start = min(self.start, other.start)
        size = max(self.start + self.size, other.start + other.size) - start
        further = max(self.extent - self.size, other.extent - other.size)
        return Reach(start, size, self.stride, size + further)


UNKNOWN = Reach(0, 0, 0, 0)
"""Of neurons behind an operation that nobody has described."""
