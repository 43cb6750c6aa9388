"""Mean area under the receiver operating characteristics of each class against the rest."""

from __future__ import annotations

import math

import numpy as np

from nnctl.component import component
from nnctl.metrics import Metric, Predictions
from nnctl.metrics.curves import roc_area


@component("roc_auc_ovr")
class RocAucOvr(Metric):
    """Mean over the classes of the chance that a row of the class gets a higher probability for it than another row.

    Ties count half. A class without a row, or without a row of another class, has no value and is left out of the
    mean. It is nan where no class has a value, or a probability is nan.
    Source: scikit-learn's ``roc_auc_score(multi_class="ovr", average="macro")``, which refuses absent classes.
    """

    tasks = ("multiclass",)
    better = "higher"
    needs_probability = True

    def compute(self, p: Predictions) -> float:
        if any(map(_lost, p.blocks())):
            return math.nan
        areas = [roc_area(p, code) for code in np.flatnonzero(p.actual).tolist()]
        known = [area for area in areas if not math.isnan(area)]
        return sum(known) / len(known) if known else math.nan


def _lost(p: Predictions) -> bool:
    """Whether a probability is nan."""
    assert p.probability is not None
    return bool(np.isnan(p.probability).any())
