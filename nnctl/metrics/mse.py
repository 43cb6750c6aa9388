"""Mean squared error."""

from __future__ import annotations

from nnctl.component import component
from nnctl.metrics import Metric, Predictions, squared_errors


@component("mse")
class Mse(Metric):
    """Mean of ``(predicted - true)^2``, in squared units of the target; the mean over several targets."""

    tasks = ("regression",)
    better = "lower"

    def compute(self, p: Predictions) -> float:
        return float(squared_errors(p).mean())
