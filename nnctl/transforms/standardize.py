"""Zero mean and unit standard deviation."""

from __future__ import annotations

import math

import numpy as np

from nnctl.component import component
from nnctl.transforms import Scaler, State, Values


@component("standardize")
class Standardize(Scaler):
    """Zero mean and unit variance in the training rows, ``(x - mean) / std``; a constant column becomes 0 everywhere.

    Source: the population's standard deviation (divided by N), as scikit-learn's ``StandardScaler``.
    """

    def fit(self, x: Values) -> State:
        low, high = float(x.min()), float(x.max())
        middle, reach = low / 2 + high / 2, high / 2 - low / 2
        if reach == 0:  # not asked of the deviation, which a rounded mean keeps from being zero
            return {"mean": low, "std": 0.0}
        # Two passes over values that are moved to the middle and scaled to -1 .. 1: no digits are lost to a large
        # offset, and no square over- or underflows.
        u = (x - middle) / reach
        mean = float(u.mean())
        u -= mean
        variance = float(np.mean(u * u)) - float(u.mean()) ** 2  # the second term is what rounding left in the mean
        return {"mean": middle + reach * mean, "std": reach * math.sqrt(variance)}

    def apply(self, x: Values, state: State) -> Values:
        mean, std = float(state["mean"]), float(state["std"])
        return (x - mean) / std if std > 0 else np.where(np.isnan(x), x, 0.0)

    def invert(self, y: Values, state: State) -> Values:
        return y * float(state["std"]) + float(state["mean"])
