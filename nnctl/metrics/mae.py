"""Mean absolute error."""

from __future__ import annotations

import numpy as np

from nnctl.component import component
from nnctl.metrics import Metric, Predictions


@component("mae")
class Mae(Metric):
    """Mean of ``|predicted - true|``, in units of the target; the mean over several targets."""

    tasks = ("regression",)
    better = "lower"

    def compute(self, p: Predictions) -> float:
        return float(p.mean_of(lambda rows: np.abs(rows.deviation)).mean())
