"""Median absolute error."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from nnctl.component import component
from nnctl.metrics import Metric, Predictions


@component("median_ae")
class MedianAe(Metric):
    """Median of ``|predicted - true|``, in units of the target; the mean over several targets.

    With weights it is the error that half of the weight lies below; where exactly half does, the mean of that error
    and the next. It is nan where a prediction is nan.
    Source: scikit-learn's ``median_absolute_error``, with one deviation: what is half of the weight is told to within
    rounding, so that equal weights give the plain median whatever they are.
    """

    tasks = ("regression",)
    better = "lower"

    def compute(self, p: Predictions) -> float:
        if not p.total > 0:
            return math.nan
        errors = _errors(p)
        if p.weight is not None:
            return float(_weighted_median(errors, p.weight).mean()) if not np.isnan(errors).any() else math.nan
        return float(np.median(errors, axis=0, overwrite_input=True).mean())


def _errors(p: Predictions) -> NDArray[np.float64]:
    """The absolute errors (N, T), the caller's own to change."""
    errors = np.empty((len(p.truth), p.truth.size // len(p.truth)))
    start = 0
    for rows in p.blocks():
        stop = start + len(rows.truth)
        np.abs(rows.deviation, errors[start:stop])
        start = stop
    return errors


def _weighted_median(values: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """The weighted median of each column, (N, T) -> (T,)."""
    order = np.argsort(values, axis=0)
    below = np.cumsum(weight[order], axis=0, dtype=np.float64)  # the weight up to each value, its own with it
    rounding = len(values) * np.finfo(np.float64).eps
    first = np.count_nonzero(below < below[-1] / 2 * (1 - rounding), axis=0)
    second = np.count_nonzero(below <= below[-1] / 2 * (1 + rounding), axis=0)
    pair = np.take_along_axis(values, np.take_along_axis(order, np.stack([first, second]), axis=0), axis=0)
    medians: NDArray[np.float64] = pair[0] / 2 + pair[1] / 2
    return medians
