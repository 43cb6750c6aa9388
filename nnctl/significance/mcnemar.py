"""McNemar's test: whether two classifiers are wrong equally often on the same rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

EXACT_BELOW = 25  # rows that one of the two alone gets right


@dataclass(frozen=True, slots=True)
class McNemar:
    """The rows that one of two classifiers alone gets right, and how likely so uneven counts are by chance."""

    only_a: int
    only_b: int

    @property
    def exact(self) -> bool:
        """Whether the probability is that of the binomial distribution, not an approximation of it."""
        return self.only_a + self.only_b < EXACT_BELOW

    @property
    def p(self) -> float:
        """The two-sided probability of counts as uneven as these or more so, where both are as likely to be right.

        Below 25 rows ``2 sum_{i <= min} C(n, i) / 2^n``; else that of ``(|a - b| - 1)^2 / (a + b)`` under chi-squared
        with one degree of freedom.
        Source: McNemar 1947, with the correction for continuity of Edwards 1948; Dietterich 1998, section 3.1.
        """
        fewer, rows = min(self.only_a, self.only_b), self.only_a + self.only_b
        if self.exact:
            ways = sum(math.comb(rows, count) for count in range(fewer + 1))
            return min(1.0, ways / (1 << rows) * 2)
        statistic = max(0, abs(self.only_a - self.only_b) - 1) ** 2 / rows
        return math.erfc(math.sqrt(statistic / 2))


def mcnemar(right_a: NDArray[Any], right_b: NDArray[Any]) -> McNemar:
    """The test of two classifiers, from whether each row is right (N,)."""
    return McNemar(int(np.count_nonzero(right_a & ~right_b)), int(np.count_nonzero(right_b & ~right_a)))
