"""Metrics: numbers that judge the predictions for all rows of a split, never a mean over batches."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from nnctl.component import Component
from nnctl.metrics.predictions import Predictions as Predictions  # the name it is known by outside
from nnctl.metrics.predictions import RowValues as RowValues
from nnctl.metrics.series import Series as Series

EPS = float(np.finfo(np.float64).eps)  # what scikit-learn keeps probabilities and divisors away from 0 by

# What `metrics: auto` computes, by task.
AUTO: dict[str, tuple[str, ...]] = {
    "binary": ("accuracy", "f1", "roc_auc"),
    "multiclass": ("accuracy", "macro_f1"),
    "multilabel": ("hamming", "micro_f1"),
    "regression": ("rmse", "mae", "r2"),
}


class Metric(Component):
    """One number for the predictions of one split.

    Where the rows have weights, a row of weight 2 counts as two rows.
    """

    kind = "metrics"
    tasks: ClassVar[tuple[str, ...]]
    better: ClassVar[Literal["higher", "lower"]]
    needs_probability: ClassVar[bool] = False  # which some losses do not give

    def compute(self, p: Predictions) -> float:
        """The metric over all rows; nan where it has no value, so where no row has a weight above 0."""
        raise NotImplementedError

    def of_each(self, series: Series) -> list[float]:
        """``compute`` of each of a series, to the same bits; what is worth it computes them together."""
        return [self.compute(p) for p in series]


def ratio(part: float, whole: float) -> float:
    """``part / whole``; 0 of nothing is 0, as scikit-learn's ``zero_division=0``."""
    return float(part / whole) if whole > 0 else 0.0


def ratios(part: NDArray[Any], whole: NDArray[Any]) -> NDArray[np.float64]:
    """``ratio`` of arrays, element by element."""
    shares: NDArray[np.float64] = np.divide(part, whole, out=np.zeros(whole.shape), where=whole > 0)
    return shares


def f1_scores(p: Predictions) -> NDArray[np.float64]:
    """The F1 score of each class or label, ``2 TP / (2 TP + FP + FN)``, (C,)."""
    return ratios(2 * p.hits, p.actual + p.said)


@np.errstate(over="ignore", invalid="ignore")  # a network that diverges predicts inf: an infinite error, no warning
def squared_errors(p: Predictions) -> NDArray[np.float64]:
    """The mean squared error of each target, (T,)."""
    return p.mean_of(lambda rows: rows.deviation**2)


@np.errstate(over="ignore", invalid="ignore")
def variances(p: Predictions, values: RowValues) -> NDArray[np.float64]:
    """The variance of each column of ``values`` (N, T), (T,).

    It is exactly 0 where all rows that count are equal, though the rounding of their mean would hide it.
    """
    mean = p.mean_of(values)
    if not p.total > 0:
        return mean  # nan
    first, constant = None, np.True_
    for rows in p.blocks():
        counting = rows.counting(values(rows))
        if len(counting):
            first = counting[0] if first is None else first
            constant = constant & (counting == first).all(axis=0)
    return np.where(constant, 0.0, p.mean_of(lambda rows: (values(rows) - mean) ** 2))


def values_of(p: Predictions) -> NDArray[np.float64]:
    """The true values of a block of rows, (n, T)."""
    return p.values


def deviation_of(p: Predictions) -> NDArray[np.float64]:
    """Predicted minus true values of a block of rows, (n, T)."""
    return p.deviation


@np.errstate(over="ignore", invalid="ignore")
def explained(errors: NDArray[np.float64], variance: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean over targets of ``1 - errors / variance``; without a variance 1 where there is no error, else 0.

    Shapes: errors (..., T), variance (T,) -> (...)
    """
    flat = variance == 0
    scores = np.where(flat, errors == 0, 1 - errors / np.where(flat, 1.0, variance))
    means: NDArray[np.float64] = scores.mean(axis=-1)
    return means
