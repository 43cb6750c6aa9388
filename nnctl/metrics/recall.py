"""Recall of the positive class."""

from __future__ import annotations

from nnctl.component import component
from nnctl.metrics import Metric, Predictions, ratio


@component("recall")
class Recall(Metric):
    """Fraction of the positive rows that are predicted positive, ``TP / (TP + FN)``; 0 if no row is positive."""

    tasks = ("binary",)
    better = "higher"

    def compute(self, p: Predictions) -> float:
        return ratio(p.of_positive.hits, p.of_positive.actual)
