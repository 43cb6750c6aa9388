"""Cohen's kappa."""

from __future__ import annotations

import math

import numpy as np

from nnctl.component import component
from nnctl.metrics import Metric, Predictions


@component("kappa")
class Kappa(Metric):
    """Agreement beyond chance, ``1 - wrong / expected``.

    ``expected`` are the rows that would be wrong if each class were predicted as often, but by chance. It is nan where
    that is 0: all rows are of one class, which alone is predicted.
    Source: Cohen 1960; scikit-learn's ``cohen_kappa_score``.
    """

    tasks = ("multiclass",)
    better = "higher"

    def compute(self, p: Predictions) -> float:
        rows = p.actual.sum()
        if not rows > 0:
            return math.nan
        apart = ~np.eye(p.classes, dtype=np.bool_)
        wrong = p.weighted_confusion[apart].sum()
        expected = np.outer(p.actual, p.said)[apart].sum() / rows
        return float(1 - wrong / expected) if expected > 0 else math.nan
