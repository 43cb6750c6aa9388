"""Area under the receiver operating characteristic."""

from __future__ import annotations

from nnctl.component import component
from nnctl.metrics import Metric, Predictions, Series
from nnctl.metrics.curves import roc_area, roc_areas


@component("roc_auc")
class RocAuc(Metric):
    """Chance that a positive row gets a higher probability than a negative one, ties counting half.

    It is nan without a positive or without a negative row, or where a probability is nan.
    Source: Mann and Whitney 1947; exact, as scikit-learn's ``roc_auc_score``.
    """

    tasks = ("binary",)
    better = "higher"
    needs_probability = True

    def compute(self, p: Predictions) -> float:
        return roc_area(p, p.positive)

    def of_each(self, series: Series) -> list[float]:
        return roc_areas(series, series.rows.positive)
