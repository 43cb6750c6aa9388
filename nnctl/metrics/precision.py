"""Precision of the positive class."""

from __future__ import annotations

from nnctl.component import component
from nnctl.metrics import Metric, Predictions, ratio


@component("precision")
class Precision(Metric):
    """Fraction of the rows predicted positive that are, ``TP / (TP + FP)``; 0 if none is predicted positive."""

    tasks = ("binary",)
    better = "higher"

    def compute(self, p: Predictions) -> float:
        return ratio(p.of_positive.hits, p.of_positive.said)
