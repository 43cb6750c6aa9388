"""Metrics: numbers that judge the predictions for all rows of a split, never a mean over batches."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from nnctl.component import Component

# What `metrics: auto` computes, by task.
AUTO: dict[str, tuple[str, ...]] = {
    "binary": ("accuracy", "f1", "roc_auc"),
    "multiclass": ("accuracy", "macro_f1"),
    "regression": ("rmse", "mae", "r2"),
}


@dataclass(frozen=True, eq=False)
class Predictions:
    """The truth and what a network says of it, for all rows (at least one) of one split.

    Shapes: truth, predicted (N,) codes of the sorted classes, or (N,) or (N, T) values in the target's own units;
            probability (N, C), columns in the order of the sorted classes.
    """

    task: str  # binary, multiclass or regression
    truth: NDArray[Any]
    predicted: NDArray[Any]
    probability: NDArray[np.float64] | None
    classes: int  # C, 0 for regression
    positive: int = 1  # binary: the code of the positive class

    @cached_property
    def confusion(self) -> NDArray[np.int64]:
        """How many rows of each class were taken for which: truth by predicted, (C, C)."""
        # Widened first: codes may come in a type as narrow as uint8.
        cells = self.truth.astype(np.int64) * self.classes + self.predicted
        return np.bincount(cells, minlength=self.classes**2).reshape(self.classes, self.classes)

    @cached_property
    def deviation(self) -> NDArray[np.float64]:
        """Predicted minus true values, one column for each target, (N, T)."""
        rows = len(self.truth)
        deviation: NDArray[np.float64] = np.subtract(self.predicted, self.truth, dtype=np.float64).reshape(rows, -1)
        return deviation


class Metric(Component):
    """One number for the predictions of one split."""

    kind = "metrics"
    tasks: ClassVar[tuple[str, ...]]
    better: ClassVar[Literal["higher", "lower"]]

    def compute(self, p: Predictions) -> float:
        """The metric over all rows; nan where it has no value."""
        raise NotImplementedError


def ratio(part: float, whole: float) -> float:
    """``part / whole``; 0 of nothing is 0, as scikit-learn's ``zero_division=0``."""
    return float(part / whole) if whole > 0 else 0.0


@np.errstate(over="ignore")  # a network that diverges predicts inf: an infinite error, not a warning
def squared_errors(p: Predictions) -> NDArray[np.float64]:
    """The mean squared error of each target, (T,)."""
    mean: NDArray[np.float64] = np.mean(p.deviation**2, axis=0)
    return mean
