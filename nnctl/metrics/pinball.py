"""Pinball loss of a quantile."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nnctl.component import component, option
from nnctl.metrics import Metric, Predictions


@component("pinball", examples=[{}, {"q": 0.9}])
class Pinball(Metric):
    """Mean of ``q (true - predicted)`` or, above the truth, ``(1 - q) (predicted - true)``; the mean over targets.

    It is in units of the target, and least where the q-quantile is predicted; half of ``mae`` at q = 0.5.
    Source: Koenker and Bassett 1978; scikit-learn's ``mean_pinball_loss``.
    """

    tasks = ("regression",)
    better = "lower"
    q: float = option(default=0.5, gt=0, lt=1, help="Quantile that the predictions are judged as, a fraction 0-1.")

    def compute(self, p: Predictions) -> float:
        return float(p.mean_of(self._losses).mean())

    def _losses(self, p: Predictions) -> NDArray[np.float64]:
        slope = np.where(p.deviation > 0, 1 - self.q, self.q)
        return slope * np.abs(p.deviation)
