"""F1 score of the positive class."""

from __future__ import annotations

from nnctl.component import component
from nnctl.metrics import Metric, Predictions, ratio


@component("f1")
class F1(Metric):
    """Harmonic mean of precision and recall, ``2 TP / (2 TP + FP + FN)``; 0 without any positive row, true or not."""

    tasks = ("binary",)
    better = "higher"

    def compute(self, p: Predictions) -> float:
        return ratio(2 * p.of_positive.hits, p.of_positive.actual + p.of_positive.said)
