"""Zero mean and unit standard deviation."""

from __future__ import annotations

import numpy as np

from nnctl.component import component
from nnctl.transforms import Scaler, State, Values
from nnctl.transforms.sample import Sample


@component("standardize")
class Standardize(Scaler):
    """Zero mean and unit variance in the training rows, ``(x - mean) / std``; a constant column becomes 0 everywhere.

    Source: the population's standard deviation (divided by N), as scikit-learn's ``StandardScaler``.
    """

    def fit(self, x: Sample) -> State:
        return {"mean": x.mean, "std": x.std}

    def apply(self, x: Values, state: State) -> Values:
        mean, std = float(state["mean"]), float(state["std"])
        return (x - mean) / std if std > 0 else np.where(np.isnan(x), x, 0.0)

    def invert(self, y: Values, state: State) -> Values:
        return y * float(state["std"]) + float(state["mean"])
