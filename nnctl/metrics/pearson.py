"""Pearson correlation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nnctl.component import component
from nnctl.metrics import Metric, Predictions, variances


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
        said = p.predicted.reshape(p.values.shape).astype(np.float64, copy=False)
        correlation = p.mean(_standardized(p, p.values) * _standardized(p, said))
        return float(np.clip(correlation, -1, 1).mean())  # rounding may exceed 1


def _standardized(p: Predictions, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Columns with the mean 0 and the variance 1, (N, T); nan where there is no variance."""
    centred = values - p.mean(values)
    largest = np.abs(centred).max(axis=0)
    centred = centred / np.where(largest > 0, largest, 1.0)  # so that the squares of far or tiny values are numbers
    variance = variances(p, centred)
    standardized: NDArray[np.float64] = centred / np.sqrt(np.where(variance > 0, variance, np.nan))
    return standardized
