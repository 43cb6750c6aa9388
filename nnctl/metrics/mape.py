"""Mean absolute percentage error."""

from __future__ import annotations

import numpy as np

from nnctl.component import component
from nnctl.metrics import EPS, Metric, Predictions


@component("mape")
class Mape(Metric):
    """Mean of ``|predicted - true| / |true|``, as a fraction (0.1 is 10 %); the mean over several targets.

    Source: scikit-learn's ``mean_absolute_percentage_error``: the divisor is at least eps of float64, so that an error
    where the truth is 0 makes the mean huge.
    """

    tasks = ("regression",)
    better = "lower"

    @np.errstate(over="ignore")
    def compute(self, p: Predictions) -> float:
        relative = p.mean_of(lambda rows: np.abs(rows.deviation) / np.maximum(np.abs(rows.values), EPS))
        return float(relative.mean())
