"""Scaling that a few far values do not move."""

from __future__ import annotations

import numpy as np

from nnctl.component import component
from nnctl.transforms import Scaler, State, Values
from nnctl.transforms.sample import Sample

TINY = 2.0**-52  # of the widest deviation: a smaller range between the quartiles is rounding


@component("robust")
class Robust(Scaler):
    """``(x - median) / (q75 - q25)``, quartiles of the training rows; a constant column becomes 0 everywhere.

    Source: scikit-learn's ``RobustScaler``: quartiles interpolated linearly, and a divisor of 1 where both are equal
            (more than half of the rows hold one value). It calls them equal below an absolute 2.2e-15, here it is
            relative to the column.
    """

    def fit(self, x: Sample) -> State:
        if x.low == x.high:
            return {"median": x.low, "range": 0.0}
        low, middle, high = x.quantiles((0.25, 0.5, 0.75)).tolist()
        widest = max(x.high - middle, middle - x.low)
        return {"median": middle, "range": high - low if high - low > TINY * widest else 1.0}

    def apply(self, x: Values, state: State) -> Values:
        middle, between = float(state["median"]), float(state["range"])
        return (x - middle) / between if between > 0 else np.where(np.isnan(x), x, 0.0)

    def invert(self, y: Values, state: State) -> Values:
        return y * float(state["range"]) + float(state["median"])
