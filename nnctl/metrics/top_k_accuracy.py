"""Fraction of the rows whose class is among the most probable ones."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

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
        return float(p.mean_of(self._found))

    def _found(self, p: Predictions) -> NDArray[np.float64]:
        """1 where the class is among them, else 0; nan where a probability is nan, (N,)."""
        assert p.probability is not None
        own = p.given(p.truth)[:, None]
        later = np.arange(p.classes) > p.truth[:, None]
        ahead = (p.probability > own) | ((p.probability == own) & later)  # (N, C)
        lost = np.isnan(p.probability).any(axis=1)
        return np.where(lost, math.nan, np.count_nonzero(ahead, axis=1) < self.k)
