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
        deviation = p.deviation if p.weight is None else p.deviation[p.weight > 0]
        return float(np.abs(deviation).max(axis=0).mean()) if len(deviation) else np.nan
