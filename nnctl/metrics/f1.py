"""F1 score of the positive class."""

from __future__ import annotations

import numpy as np

from nnctl.component import component
from nnctl.metrics import Metric, Predictions, Series, ratio


@component("f1")
class F1(Metric):
    """Harmonic mean of precision and recall, ``2 TP / (2 TP + FP + FN)``; 0 without any positive row, true or not."""

    tasks = ("binary",)
    better = "higher"

    def compute(self, p: Predictions) -> float:
        return ratio(2 * p.of_positive.hits, p.of_positive.actual + p.of_positive.said)

    def of_each(self, series: Series) -> list[float]:
        said = series.predicted == series.rows.positive
        of_class, _ = series.rows.rows_of(series.rows.positive)
        hits, all_said = (np.count_nonzero(found, axis=-1).tolist() for found in (said.take(of_class, -1), said))
        return [ratio(2 * hit, len(of_class) + those) for hit, those in zip(hits, all_said, strict=True)]
