"""Pearson correlation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nnctl.component import component
from nnctl.metrics import Metric, Predictions, RowValues, values_of, variances


@component("pearson")
class Pearson(Metric):
    """Correlation of true and predicted values, ``cov / sqrt(variance variance)``; the mean over several targets.

    It is nan where the truth or the predictions of a target do not vary, so for a single row.
    Source: Pearson 1895.
    """

    tasks = ("regression",)
    better = "higher"

    @np.errstate(over="ignore", invalid="ignore")
    def compute(self, p: Predictions) -> float:
        true, said = _standardized(p, values_of), _standardized(p, _predicted)
        correlation = p.mean_of(lambda rows: true(rows) * said(rows))
        return float(np.clip(correlation, -1, 1).mean())  # rounding may exceed 1


def _predicted(p: Predictions) -> NDArray[np.float64]:
    return p.predicted.reshape(p.values.shape).astype(np.float64, copy=False)


def _standardized(p: Predictions, values: RowValues) -> RowValues:
    """Columns with the mean 0 and the variance 1, (N, T); nan where there is no variance."""
    mean = p.mean_of(values)
    largest = np.max([np.abs(values(rows) - mean).max(axis=0) for rows in p.blocks()], axis=0)
    unit = np.where(largest > 0, largest, 1.0)  # so that the squares of far or tiny values are numbers
    variance = variances(p, lambda rows: (values(rows) - mean) / unit)
    spread = np.sqrt(np.where(variance > 0, variance, np.nan))
    return lambda rows: (values(rows) - mean) / unit / spread
