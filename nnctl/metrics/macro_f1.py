"""Mean F1 score of the classes."""

from __future__ import annotations

import numpy as np

from nnctl.component import component
from nnctl.metrics import Metric, Predictions


@component("macro_f1")
class MacroF1(Metric):
    """Mean of the F1 scores of the classes that are true or predicted in some row, each counting the same.

    Source: scikit-learn's ``f1_score(average="macro")`` without ``labels``.
    """

    tasks = ("multiclass",)
    better = "higher"

    def compute(self, p: Predictions) -> float:
        rows = p.confusion.sum(axis=0) + p.confusion.sum(axis=1)  # (C,) 2 TP + FP + FN
        seen = rows > 0
        return float(np.mean(2 * p.confusion.diagonal()[seen] / rows[seen]))
