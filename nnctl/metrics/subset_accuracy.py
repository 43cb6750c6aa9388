"""Fraction of the rows with all labels right."""

from __future__ import annotations

from nnctl.component import component
from nnctl.metrics import Metric, Predictions


@component("subset_accuracy")
class SubsetAccuracy(Metric):
    """Fraction of the rows of which every label is predicted as it is.

    Source: scikit-learn's ``accuracy_score`` of label indicators.
    """

    tasks = ("multilabel",)
    better = "higher"

    def compute(self, p: Predictions) -> float:
        return float(p.mean_of(lambda rows: (rows.truth == rows.predicted).all(axis=1)))
