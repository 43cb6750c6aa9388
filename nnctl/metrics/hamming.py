"""Hamming loss."""

from __future__ import annotations

from nnctl.component import component
from nnctl.metrics import Metric, Predictions


@component("hamming")
class Hamming(Metric):
    """Fraction of the labels of all rows that are predicted wrongly: a loss, lower is better.

    Source: scikit-learn's ``hamming_loss``.
    """

    tasks = ("multilabel",)
    better = "lower"

    def compute(self, p: Predictions) -> float:
        return float(p.mean_of(lambda rows: rows.truth != rows.predicted).mean())
