"""The noise of seeds: how far runs lie apart that differ in nothing else."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

# Two draws of a normal distribution lie further apart than so many of its standard deviations in 1 of 20 cases.
BEYOND = 1.96 * math.sqrt(2)


@dataclass(frozen=True, slots=True)
class SeedNoise:
    """The standard deviation (n - 1) of a metric over repeated runs, those of several configurations pooled.

    Source: the pooled variance of Student's two-sample test, ``sum (n_i - 1) s_i^2 / sum (n_i - 1)``.
    """

    std: float
    runs: tuple[int, ...]  # of each configuration that was repeated

    def times(self, difference: float) -> float:
        """A difference in units of it; inf of none."""
        return abs(difference) / self.std if self.std else math.inf if difference else 0.0

    def explains(self, difference: float) -> bool:
        """Whether two runs that differ in their seed alone may well differ by so much."""
        return self.times(difference) <= BEYOND


def seed_noise(groups: Sequence[Sequence[float]]) -> SeedNoise | None:
    """The noise in the values of repeated runs, a group for each configuration; None if none was repeated."""
    repeated = [group for group in groups if len(group) > 1]
    if not repeated:
        return None
    freedom = sum(len(group) - 1 for group in repeated)
    squares = sum((len(group) - 1) * statistics.variance(group) for group in repeated)
    return SeedNoise(math.sqrt(squares / freedom), tuple(map(len, repeated)))
