"""F1 score of the positive class."""

from __future__ import annotations

from nnctl.component import component
from nnctl.metrics import Metric, Predictions, f1_scores


@component("f1")
class F1(Metric):
    """Harmonic mean of precision and recall, ``2 TP / (2 TP + FP + FN)``; 0 without any positive row, true or not."""

    tasks = ("binary",)
    better = "higher"

    def compute(self, p: Predictions) -> float:
        return float(f1_scores(p)[p.positive])
