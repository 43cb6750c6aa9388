"""Mean F1 score of the classes or labels."""

from __future__ import annotations

import numpy as np

from nnctl.component import component
from nnctl.metrics import Metric, Predictions, Series, f1_scores, ratios


@component("macro_f1")
class MacroF1(Metric):
    """Mean of the F1 scores ``2 TP / (2 TP + FP + FN)``, each class or label counting the same.

    Classes count that are true or predicted in some row, of whatever weight. All labels count, with 0 where one is
    neither true nor predicted in any row.
    Source: scikit-learn's ``f1_score(average="macro")`` without ``labels``.
    """

    tasks = ("multiclass", "multilabel")
    better = "higher"

    def compute(self, p: Predictions) -> float:
        return float(f1_scores(p)[p.seen].mean())

    def of_each(self, series: Series) -> list[float]:
        if series.rows.task == "multilabel":
            return super().of_each(series)
        counts = series.confusion
        either = counts.sum(axis=-1) + counts.sum(axis=-2)
        scores = ratios(2 * np.diagonal(counts, axis1=-2, axis2=-1), either)
        return [float(each[seen].mean()) for each, seen in zip(scores, either > 0, strict=True)]
