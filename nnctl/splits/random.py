"""A random split."""

from __future__ import annotations

import numpy as np

from nnctl.component import component
from nnctl.splits import DrawnSplit, Parts, Rows, parts_of


@component(
    "random", examples=[{}, {"val": 0.1, "test": 0.1, "seed": 7}, {"val": 3, "test": 0.25}, {"folds": 3, "fold": 2}]
)
class Random(DrawnSplit):
    """Rows drawn without regard to anything; the test rows first, so that another ``val`` leaves them as they are.

    Raises: SpecError if a fraction is not below 1; DataError if no training row would be left.
    """

    def cut(self, rows: Rows, rng: np.random.Generator) -> Parts:
        val, test = self.sizes(rows.count)
        drawn = rng.permutation(rows.count)
        return parts_of(drawn[test + val :], drawn[test : test + val], drawn[:test])
