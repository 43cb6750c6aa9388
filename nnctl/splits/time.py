"""A split in the order of time."""

from __future__ import annotations

import numpy as np

from nnctl.component import component, option
from nnctl.splits import Parts, Rows, SizedSplit, parts_of


@component("time", examples=[{}, {"val": 0.1, "test": 30}])
class Time(SizedSplit):
    """In the order of the file: the first rows train, the next validate, the last test. Nothing is drawn.

    Raises: SpecError if a fraction is not below 1; DataError if no training row would be left.
    """

    column: str | None = option(default=None, available=False, help="Column to order the rows by; null: file order.")

    def cut(self, rows: Rows, rng: np.random.Generator) -> Parts:
        val, test = self.sizes(rows.count)
        return parts_of(*np.split(np.arange(rows.count), [rows.count - test - val, rows.count - test]))
