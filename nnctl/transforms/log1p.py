"""The logarithm of numbers that start at zero."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nnctl.component import component
from nnctl.transforms import Scaler, State, Values
from nnctl.transforms.sample import Sample


@component("log1p")
class Log1p(Scaler):
    """``log(1 + x)``, for amounts and counts; its inverse is ``exp(y) - 1``. Numbers of -1 and below are refused."""

    domain = "numbers > -1"

    def fit(self, x: Sample) -> State:
        return {}

    def apply(self, x: Values, state: State) -> Values:
        return np.log1p(x)

    def invert(self, y: Values, state: State) -> Values:
        with np.errstate(over="ignore"):  # scores beyond 709, of a network that diverges, stand for no finite number
            return np.expm1(y)

    def outside(self, x: Values) -> NDArray[np.bool_]:
        return x <= -1
