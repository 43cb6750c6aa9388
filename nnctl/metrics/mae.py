"""Mean absolute error."""

from __future__ import annotations

import numpy as np

from nnctl.component import component
from nnctl.metrics import Metric, Predictions, Series


@component("mae")
class Mae(Metric):
    """Mean of ``|predicted - true|``, in units of the target; the mean over several targets."""

    tasks = ("regression",)
    better = "lower"

    def compute(self, p: Predictions) -> float:
        return float(p.mean_of(lambda rows: np.abs(rows.deviation)).mean())

    def of_each(self, series: Series) -> list[float]:
        means: list[float] = series.mean_of(np.abs).mean(axis=-1).tolist()
        return means
