"""Brier score."""

from __future__ import annotations

from nnctl.component import component
from nnctl.metrics import Metric, Predictions


@component("brier")
class Brier(Metric):
    """Mean of ``(p - y)^2``, p the probability of the positive class, y 1 for a positive row, else 0.

    Source: Brier 1950, halved for two classes as in scikit-learn's ``brier_score_loss``.
    """

    tasks = ("binary",)
    better = "lower"
    needs_probability = True

    def compute(self, p: Predictions) -> float:
        return float(p.mean_of(lambda rows: (rows.share(p.positive) - (rows.truth == p.positive)) ** 2))
