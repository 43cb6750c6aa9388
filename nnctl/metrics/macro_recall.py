"""Mean recall of the classes, those counted that are only predicted."""

from __future__ import annotations

from nnctl.component import component
from nnctl.metrics import Metric, Predictions, ratios


@component("macro_recall")
class MacroRecall(Metric):
    """Mean of ``TP / (TP + FN)`` over the classes that are true or predicted in some row; 0 for one never true.

    ``balanced_accuracy`` leaves out the classes that are never true.
    Source: scikit-learn's ``recall_score(average="macro")`` without ``labels``.
    """

    tasks = ("multiclass",)
    better = "higher"

    def compute(self, p: Predictions) -> float:
        return float(ratios(p.hits, p.actual)[p.seen].mean())
