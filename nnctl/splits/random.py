"""A random split."""

from __future__ import annotations

import numpy as np

from nnctl.component import component
from nnctl.splits import DrawnSplit, Parts, Rows, drawn


@component(
    "random", examples=[{}, {"val": 0.1, "test": 0.1, "seed": 7}, {"val": 3, "test": 0.25}, {"folds": 3, "fold": 2}]
)
class Random(DrawnSplit):
    """Rows drawn without regard to anything; the test rows first, so that another ``val`` leaves them as they are.

    Raises: SpecError if a fraction is not below 1; DataError if no training row would be left.
    """

    def cut(self, rows: Rows, rng: np.random.Generator) -> Parts:
        val, test = self.sizes(rows.count)
        order = drawn(rows.count, rng)
        parts = Parts(order[test + val :], order[test : test + val], order[:test])
        for part in (parts.train, parts.val, parts.test):
            part.sort()  # where it lies: of many rows there is no second copy
        return parts
