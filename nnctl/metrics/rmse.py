"""Root mean squared error."""

from __future__ import annotations

import numpy as np

from nnctl.component import component
from nnctl.metrics import Metric, Predictions, Series, squared_errors


@component("rmse")
class Rmse(Metric):
    """Root of the mean of ``(predicted - true)^2``, in units of the target; the mean of the roots of several targets.

    Source: scikit-learn's ``root_mean_squared_error``: with several targets it is not the root of ``mse``.
    """

    tasks = ("regression",)
    better = "lower"

    def compute(self, p: Predictions) -> float:
        return float(np.sqrt(squared_errors(p)).mean())

    def of_each(self, series: Series) -> list[float]:
        means: list[float] = np.sqrt(series.mean_of(np.square)).mean(axis=-1).tolist()
        return means
