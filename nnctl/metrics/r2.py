"""Coefficient of determination."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from nnctl.component import component
from nnctl.metrics import Metric, Predictions, Series, explained, squared_errors, values_of, variances


@component("r2")
class R2(Metric):
    """Part of the target's variance that is explained, ``1 - mse / variance``; the mean over several targets.

    A target that does not vary gives 1 where all predictions are right, else 0. A single row has no value: nan.
    Source: scikit-learn's ``r2_score``, with one deviation: whether a target varies is seen from its values, not from
    a variance that rounding keeps from being zero.
    """

    tasks = ("regression",)
    better = "higher"

    def compute(self, p: Predictions) -> float:
        return float(explained(squared_errors(p), _variances(p))) if len(p.truth) > 1 else math.nan

    def of_each(self, series: Series) -> list[float]:
        if len(series.rows.truth) == 1:
            return super().of_each(series)
        scores: list[float] = explained(series.mean_of(np.square), _variances(series.rows)).tolist()
        return scores


def _variances(p: Predictions) -> NDArray[np.float64]:
    return p.of_truth("variances", lambda: variances(p, values_of))
