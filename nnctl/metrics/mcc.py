"""Matthews correlation coefficient."""

from __future__ import annotations

import math

import numpy as np

from nnctl.component import component
from nnctl.metrics import Metric, Predictions


@component("mcc")
class Mcc(Metric):
    """Correlation of true and predicted classes, ``(c s - t.p) / sqrt((s^2 - t.t) (s^2 - p.p))``.

    c are the rows that are right, s all of them, t and p those of each class, true and predicted. It is 0 where only
    one class is true, or only one predicted.
    Source: Matthews 1975, Gorodkin 2004; scikit-learn's ``matthews_corrcoef``, with one deviation: whether there is
    but one class is seen from the rows, not from a difference that the rounding of weights keeps from being zero.
    """

    tasks = ("binary", "multiclass")
    better = "higher"

    def compute(self, p: Predictions) -> float:
        if np.count_nonzero(p.actual) < 2 or np.count_nonzero(p.said) < 2:
            return 0.0
        # Without weights all of these are whole numbers, and no difference loses a digit.
        rows = p.actual.sum()
        spread = (rows**2 - p.actual @ p.actual) * (rows**2 - p.said @ p.said)
        return float((p.hits.sum() * rows - p.actual @ p.said) / math.sqrt(spread)) if spread > 0 else 0.0
