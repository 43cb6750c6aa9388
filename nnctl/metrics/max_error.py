"""Largest absolute error."""

from __future__ import annotations

import numpy as np

from nnctl.component import component
from nnctl.metrics import Metric, Predictions


@component("max_error")
class MaxError(Metric):
    """Largest ``|predicted - true|``, in units of the target; the mean over several targets.

    Weights do not matter, but a row of weight 0 does not count.
    Source: scikit-learn's ``max_error``, which takes neither weights nor several targets.
    """

    tasks = ("regression",)
    better = "lower"

    def compute(self, p: Predictions) -> float:
        errors = [np.abs(rows.counting(rows.deviation)) for rows in p.blocks()]
        largest = [error.max(axis=0) for error in errors if len(error)]
        return float(np.max(largest, axis=0).mean()) if largest else np.nan
