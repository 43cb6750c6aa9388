"""F1 score of the classes, weighted by their rows."""

from __future__ import annotations

from nnctl.component import component
from nnctl.metrics import Metric, Predictions, f1_scores, ratio


@component("weighted_f1")
class WeightedF1(Metric):
    """Mean of the F1 scores ``2 TP / (2 TP + FP + FN)`` of the classes, each counting by the rows it is true in.

    Source: scikit-learn's ``f1_score(average="weighted")``.
    """

    tasks = ("multiclass",)
    better = "higher"

    def compute(self, p: Predictions) -> float:
        return ratio((p.actual * f1_scores(p)).sum(), p.actual.sum())
