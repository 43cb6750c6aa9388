"""The squared error of logarithms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nnctl.component import component
from nnctl.losses import ROWS
from nnctl.losses.elementwise import Elementwise
from nnctl.losses.targets import NOT_NEGATIVE


@component("msle", examples=[{}, {"reduction": "sum"}])
class Msle(Elementwise):
    """Squared logarithmic error, ``(log(1 + p) - log(1 + t))^2`` with the prediction ``p = exp(y)``, for t >= 0.

    Computed with ``log(1 + exp(y))``, which has a value for every score.
    Shapes: y, t (*K, B, O) -> losses (*K, B)
    Source: scikit-learn's ``mean_squared_log_error`` and Keras' ``MeanSquaredLogarithmicError``. Both take p itself;
    scikit-learn refuses p <= -1 and Keras cuts p off at 0, where the gradient ends. The link exp does neither.
    """

    link = "exponential"
    asked = NOT_NEGATIVE
    keeps_zero = True

    def scratch(self, width: int) -> Mapping[str, tuple[int, ...]]:
        return {**super().scratch(width), "softplus": (ROWS, width)}

    def bind(self, s: Any) -> None:
        super().bind(s)
        s.slope = s.constant(2 * s.slope)

    def forward(self, s: Any) -> None:
        np.logaddexp(s.y, s.zero, s.softplus)
        np.log1p(s.t, s.terms)
        np.subtract(s.softplus, s.terms, s.dy)
        np.multiply(s.dy, s.dy, s.terms)
        self.combine(s)

    def backward(self, s: Any) -> None:
        """``dy = 2 (softplus(y) - log(1 + t)) sigmoid(y)``, the sigmoid as ``exp(y - softplus(y))``."""
        np.subtract(s.y, s.softplus, s.softplus)
        np.exp(s.softplus, s.softplus)
        np.multiply(s.dy, s.softplus, s.dy)
        np.multiply(s.dy, s.slope, s.dy)
