"""Fraction of the rows whose class is among the most probable ones."""

from __future__ import annotations

import math

import numpy as np

from nnctl.component import component, option
from nnctl.metrics import Metric, Predictions


@component("top_k_accuracy", examples=[{}, {"k": 1}])
class TopKAccuracy(Metric):
    """Fraction of the rows whose true class is among the ``k`` with the highest probabilities.

    Of equal probabilities that of the later class ranks higher; nan where a probability is nan.
    Source: scikit-learn's ``top_k_accuracy_score``, its order of ties and its default k. ``accuracy`` goes by the
    first of equals, so that k = 1 may differ from it by ties.
    """

    tasks = ("multiclass",)
    better = "higher"
    needs_probability = True
    k: int = option(default=2, ge=1, help="Number of classes that a row's own may be among.")

    def compute(self, p: Predictions) -> float:
        assert p.probability is not None
        if np.isnan(p.probability).any():
            return math.nan
        own = p.given(p.truth)[:, None]
        later = np.arange(p.classes) > p.truth[:, None]
        ahead = (p.probability > own) | ((p.probability == own) & later)  # (N, C)
        return float(p.mean(np.count_nonzero(ahead, axis=1) < self.k))
