"""What is said of something that was measured over several seeds."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean, stdev


def estimate(values: Sequence[float]) -> list[float]:
    """The mean and its standard error, the sample's deviation over √n; one value has none."""
    errors = [stdev(values) / len(values) ** 0.5] if len(values) > 1 else []
    return [mean(values), *errors]
