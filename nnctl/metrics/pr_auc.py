"""Area under the precision-recall curve."""

from __future__ import annotations

from nnctl.component import component
from nnctl.metrics import Metric, Predictions
from nnctl.metrics.curves import average_precision


@component("pr_auc")
class PrAuc(Metric):
    """Average precision, ``sum (R_i - R_(i-1)) P_i`` over the thresholds i, P the precision and R the recall there.

    It is 0 without a positive row, nan where a probability is nan.
    Source: scikit-learn's ``average_precision_score``: steps, no lines between the points.
    """

    tasks = ("binary",)
    better = "higher"
    needs_probability = True

    def compute(self, p: Predictions) -> float:
        return average_precision(p, p.positive)
