"""What a network says about the rows of a split, and the sums over them that metrics share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Predictions:
    """The truth and what a network says of it, for all rows (at least one) of one split.

    Shapes: truth, predicted (N,) codes of the sorted classes, (N, L) 0 and 1 for labels, or (N,) or (N, T) values in
            the target's own units; probability (N, C), columns in the order of the sorted classes, or (N, L);
            weight (N,), not negative.
    """

    task: str  # binary, multiclass, multilabel or regression
    truth: NDArray[Any]
    predicted: NDArray[Any]
    probability: NDArray[np.float64] | None
    classes: int  # C, or L labels; 0 for regression
    positive: int = 1  # binary: the code of the positive class
    weight: NDArray[Any] | None = None  # None: every row counts once

    @np.errstate(over="ignore", invalid="ignore")  # lost predictions are no warning: the sum is not finite either
    def sum(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """The sum over the rows, each times its weight: (N,) -> (), (N, T) -> (T,)."""
        # Columns come first, so that each is summed pairwise, and in the order in which ``total`` is.
        columns = np.ascontiguousarray(values.T)
        if self.weight is not None:
            columns = columns * self.weight.astype(np.float64, copy=False)
        total: NDArray[np.float64] = np.add.reduce(columns, axis=-1, dtype=np.float64)
        return total

    @cached_property
    def total(self) -> float:
        """The weight of all rows; their number, where they have none."""
        return float(self.sum(np.ones(len(self.truth))))

    def mean(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """The weighted mean over the rows, (N,) -> (), (N, T) -> (T,); nan where no row has a weight above 0."""
        return self.sum(values) / (self.total if self.total > 0 else np.nan)

    @cached_property
    def confusion(self) -> NDArray[np.int64]:
        """How many rows of each class were taken for which, of whatever weight: truth by predicted, (C, C)."""
        return np.bincount(self._cells, minlength=self.classes**2).reshape(self.classes, self.classes)

    @cached_property
    def weighted_confusion(self) -> NDArray[np.float64]:
        """The weight of the rows of each class that were taken for which: truth by predicted, (C, C)."""
        if self.weight is None:
            return self.confusion.astype(np.float64)
        sums = np.bincount(self._cells, self.weight, minlength=self.classes**2).astype(np.float64, copy=False)
        return sums.reshape(self.classes, self.classes)

    @property
    def _cells(self) -> NDArray[np.int64]:
        """The place of each row in the confusion matrix, row after row of it."""
        # Widened first: codes may come in a type as narrow as uint8.
        cells: NDArray[np.int64] = self.truth.astype(np.int64) * self.classes + self.predicted
        return cells

    @cached_property
    def hits(self) -> NDArray[np.float64]:
        """The weight of the rows that have each class or label, and are predicted to, (C,)."""
        if self.task == "multilabel":
            return self.sum((self.truth > 0) & (self.predicted > 0))
        return self.weighted_confusion.diagonal()

    @cached_property
    def actual(self) -> NDArray[np.float64]:
        """The weight of the rows that have each class or label, (C,)."""
        return self.sum(self.truth > 0) if self.task == "multilabel" else self.weighted_confusion.sum(axis=1)

    @cached_property
    def said(self) -> NDArray[np.float64]:
        """The weight of the rows that are predicted to have each class or label, (C,)."""
        return self.sum(self.predicted > 0) if self.task == "multilabel" else self.weighted_confusion.sum(axis=0)

    @cached_property
    def seen(self) -> NDArray[np.bool_]:
        """Which classes are true or predicted in some row, of whatever weight, (C,); every label is."""
        if self.task == "multilabel":
            return np.ones(self.classes, np.bool_)
        seen: NDArray[np.bool_] = (self.confusion.sum(axis=0) + self.confusion.sum(axis=1)) > 0
        return seen

    def given(self, codes: NDArray[Any]) -> NDArray[np.float64]:
        """The probability that each row gives to the class of its code, (N,)."""
        assert self.probability is not None
        probability: NDArray[np.float64] = self.probability[np.arange(len(codes)), codes]
        return probability.astype(np.float64, copy=False)

    @cached_property
    def values(self) -> NDArray[np.float64]:
        """The true values, one column for each target, (N, T)."""
        return self.truth.reshape(len(self.truth), -1).astype(np.float64, copy=False)

    @cached_property
    @np.errstate(over="ignore")
    def deviation(self) -> NDArray[np.float64]:
        """Predicted minus true values, one column for each target, (N, T)."""
        deviation: NDArray[np.float64] = np.subtract(self.predicted.reshape(self.values.shape), self.values)
        return deviation
