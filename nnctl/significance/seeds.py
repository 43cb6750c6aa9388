"""The noise of seeds: how far runs lie apart that differ in nothing else."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

# Student's t: what a draw over its standard deviation, estimated with 1, 2, ... degrees of freedom, exceeds in size in
# 1 of 20 cases. Source: any table of its 0.975 quantiles; above 30 it is taken for that of the normal distribution.
QUANTILES = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228),
    *(2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086),
    *(2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042),
)
NORMAL = 1.960


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
        freedom = sum(self.runs) - len(self.runs)
        quantile = QUANTILES[freedom - 1] if freedom <= len(QUANTILES) else NORMAL
        return self.times(difference) <= quantile * math.sqrt(2)  # of two draws


def seed_noise(groups: Sequence[Sequence[float]]) -> SeedNoise | None:
    """The noise in the values of repeated runs, a group for each configuration; None if none was repeated."""
    repeated = [group for group in groups if len(group) > 1]
    if not repeated:
        return None
    freedom = sum(len(group) - 1 for group in repeated)
    squares = sum((len(group) - 1) * statistics.variance(group) for group in repeated)
    return SeedNoise(math.sqrt(squares / freedom), tuple(map(len, repeated)))
