"""The split that fits the task."""

from __future__ import annotations

import numpy as np

from nnctl.component import component, option
from nnctl.errors import Problem, SpecError
from nnctl.splits import SPLIT_COLUMN, DrawnSplit, Parts, Rows, Split
from nnctl.splits.random import Random
from nnctl.splits.stratified import Stratified


@component("auto", examples=[{}, {"val": 0.1, "test": 0.1, "seed": 7}, {"folds": 5}])
class Auto(DrawnSplit):
    """Stratified where the target has classes, else random; what it chose is saved with the run.

    Raises: SpecError if a column is named.
    """

    column: str | None = option(default=None, help="Always null: what a column splits has another type.")

    def resolved(self, task: str) -> Split:
        if self.column is not None:
            message = "auto looks at no column; write `type: group`, `type: time` or `type: column` beside it"
            raise SpecError(Problem(message, SPLIT_COLUMN))
        chosen = Stratified if task in ("binary", "multiclass") else Random
        return chosen(val=self.val, test=self.test, seed=self.seed, folds=self.folds, fold=self.fold)

    def cut(self, rows: Rows, rng: np.random.Generator) -> Parts:
        raise AssertionError("`auto` does not cut: ask the split that it is resolved to")
