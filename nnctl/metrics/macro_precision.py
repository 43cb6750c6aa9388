"""Mean precision of the classes."""

from __future__ import annotations

from nnctl.component import component
from nnctl.metrics import Metric, Predictions, ratios


@component("macro_precision")
class MacroPrecision(Metric):
    """Mean of ``TP / (TP + FP)`` over the classes that are true or predicted in some row; 0 for one never predicted.

    Source: scikit-learn's ``precision_score(average="macro")`` without ``labels``.
    """

    tasks = ("multiclass",)
    better = "higher"

    def compute(self, p: Predictions) -> float:
        return float(ratios(p.hits, p.said)[p.seen].mean())
