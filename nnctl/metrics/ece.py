"""Expected calibration error."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from nnctl.component import component, option
from nnctl.metrics import Metric, Predictions


@component("ece", examples=[{}, {"bins": 1}, {"bins": 10}])
class Ece(Metric):
    """Mean gap between confidence and accuracy, ``sum_b n_b / n |accuracy_b - confidence_b|``.

    The confidence of a row is the probability of the class that is predicted for it, of two classes too. The bins b
    cut 0-1 into equal widths, each with its upper end; nan where a probability is nan.
    Source: Guo et al. 2017.
    """

    tasks = ("binary", "multiclass")
    better = "lower"
    needs_probability = True
    bins: int = option(default=15, ge=1, help="Number of equal bins of the confidence.")

    def compute(self, p: Predictions) -> float:
        gaps = sum(self._gaps(rows) for rows in p.blocks())
        return float(np.abs(gaps).sum() / p.total) if p.total > 0 else math.nan

    def _gaps(self, p: Predictions) -> NDArray[np.float64]:
        """The weight of the rows in each bin times their gap, (bins,); all nan where a probability is nan."""
        confidence = p.given(p.predicted)
        if np.isnan(confidence).any():
            return np.full(self.bins, math.nan)
        upper = np.arange(1, self.bins) / self.bins  # of all bins but the last
        bins = np.searchsorted(upper, confidence, side="left")
        gap = (p.truth == p.predicted) - confidence
        sums = np.bincount(bins, gap if p.weight is None else gap * p.weight, minlength=self.bins)
        return sums.astype(np.float64, copy=False)
