"""Mean recall of the classes."""

from __future__ import annotations

import math

from nnctl.component import component
from nnctl.metrics import Metric, Predictions


@component("balanced_accuracy")
class BalancedAccuracy(Metric):
    """Mean of ``TP / (TP + FN)`` over the classes that are true in some row, each counting the same.

    Source: Brodersen et al. 2010; scikit-learn's ``balanced_accuracy_score``, not adjusted for chance.
    """

    tasks = ("binary", "multiclass")
    better = "higher"

    def compute(self, p: Predictions) -> float:
        there = p.actual > 0
        return float((p.hits[there] / p.actual[there]).mean()) if there.any() else math.nan
