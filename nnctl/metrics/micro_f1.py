"""F1 score over all labels together."""

from __future__ import annotations

from nnctl.component import component
from nnctl.metrics import Metric, Predictions, ratio


@component("micro_f1")
class MicroF1(Metric):
    """``2 TP / (2 TP + FP + FN)``, counted over all labels of all rows; 0 where no label is true or predicted.

    Source: scikit-learn's ``f1_score(average="micro")``.
    """

    tasks = ("multilabel",)
    better = "higher"

    def compute(self, p: Predictions) -> float:
        return ratio(2 * p.hits.sum(), p.actual.sum() + p.said.sum())
