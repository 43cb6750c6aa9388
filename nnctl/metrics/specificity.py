"""Recall of the negative class."""

from __future__ import annotations

from nnctl.component import component
from nnctl.metrics import Metric, Predictions, ratio


@component("specificity")
class Specificity(Metric):
    """Fraction of the negative rows that are predicted negative, ``TN / (TN + FP)``; 0 if no row is negative.

    Source: scikit-learn's ``recall_score`` with the negative class as ``pos_label``.
    """

    tasks = ("binary",)
    better = "higher"

    def compute(self, p: Predictions) -> float:
        return ratio(p.hits[1 - p.positive], p.actual[1 - p.positive])
