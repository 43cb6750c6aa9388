"""The range 0 to 1."""

from __future__ import annotations

import numpy as np

from nnctl.component import component
from nnctl.transforms import Scaler, State, Values
from nnctl.transforms.sample import Sample


@component("min_max")
class MinMax(Scaler):
    """The training rows in 0 .. 1, ``(x - low) / (high - low)``; a constant column becomes 0 everywhere.

    Other rows may lie outside: they are not clipped.
    """

    def fit(self, x: Sample) -> State:
        return {"low": x.low, "high": x.high}

    def apply(self, x: Values, state: State) -> Values:
        low, high = float(state["low"]), float(state["high"])
        return (x - low) / (high - low) if low < high else np.where(np.isnan(x), x, 0.0)

    def invert(self, y: Values, state: State) -> Values:
        low, high = float(state["low"]), float(state["high"])
        return y * (high - low) + low
