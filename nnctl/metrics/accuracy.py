"""Accuracy."""

from __future__ import annotations

import numpy as np

from nnctl.component import component
from nnctl.metrics import Metric, Predictions, Series


@component("accuracy")
class Accuracy(Metric):
    """Fraction of the rows whose class is predicted."""

    tasks = ("binary", "multiclass")
    better = "higher"

    def compute(self, p: Predictions) -> float:
        if p.weight is None:
            return int(np.count_nonzero(p.truth == p.predicted)) / len(p.truth)
        return float(p.mean_of(lambda rows: rows.truth == rows.predicted))

    def of_each(self, series: Series) -> list[float]:
        truth = series.rows.truth
        right: list[int] = np.count_nonzero(series.predicted == truth, axis=-1).tolist()
        return [hits / len(truth) for hits in right]
