"""No split."""

from __future__ import annotations

import numpy as np

from nnctl.blocks import place_type
from nnctl.component import component
from nnctl.errors import DataError, Problem
from nnctl.splits import Parts, Rows, Split
from nnctl.splits.auto import Auto


@component("none", examples=[{}, {"folds": 4}])
class NoSplit(Split):
    """All rows train, none validate or test: for tables as small as XOR's.

    With folds there is something to cut, and they are those of ``auto`` without test rows.

    Raises: DataError if there is no row.
    """

    unfoldable = ""

    def resolved(self, task: str) -> Split:
        return self if self.folds is None else Auto(folds=self.folds, fold=self.fold).resolved(task)

    def cut(self, rows: Rows, rng: np.random.Generator) -> Parts:
        if rows.count == 0:
            raise DataError(Problem("0 rows: there is nothing to train on", "data.split"))
        everybody = np.arange(rows.count, dtype=place_type(rows.count))
        return Parts(everybody, everybody[:0], everybody[:0])
