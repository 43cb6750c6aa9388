"""The absolute error relative to the target."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nnctl.component import component
from nnctl.losses import ROWS
from nnctl.losses.elementwise import Elementwise
from nnctl.losses.targets import NOT_ZERO


@component("mape", examples=[{}, {"reduction": "sum"}])
class Mape(Elementwise):
    """Absolute percentage error, ``|y - t| / |t|``; its derivative at y = t is 0. A target of 0 is refused.

    Shapes: y, t (*K, B, O) -> losses (*K, B)
    Source: scikit-learn's ``mean_absolute_percentage_error``: a fraction, where Keras gives a hundred times that. Both
    divide by a small number where t = 0, which lets such rows drown all others.
    """

    asked = NOT_ZERO
    keeps_zero = True

    def scratch(self, width: int) -> Mapping[str, tuple[int, ...]]:
        return {**super().scratch(width), "size": (ROWS, width)}

    def forward(self, s: Any) -> None:
        np.abs(s.t, s.size)
        np.subtract(s.y, s.t, s.dy)
        np.divide(s.dy, s.size, s.terms)
        np.abs(s.terms, s.terms)
        self.combine(s)

    def backward(self, s: Any) -> None:
        np.sign(s.dy, s.terms)  # in place, NumPy branches for every element
        np.divide(s.terms, s.size, s.dy)
        np.multiply(s.dy, s.slope, s.dy)
