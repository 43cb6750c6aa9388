"""The likelihood of amounts of which many are zero."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nnctl.component import component, option
from nnctl.losses import ROWS
from nnctl.losses.elementwise import STEEP, Elementwise, stretched_exp
from nnctl.losses.targets import NOT_NEGATIVE


@component("tweedie", examples=[{}, {"power": 1.2, "reduction": "sum"}])
class Tweedie(Elementwise):
    """Negative log-likelihood of amounts t >= 0 with the mean ``exp(y)``, of which many may be 0.

    It is ``exp((2 - p) y) / (2 - p) + t exp((1 - p) y) / (p - 1)``, without what y does not change.
    Tweedie's distribution of power p, 1 < p < 2, is a sum of gamma distributed amounts, as many of them as a Poisson
    distribution says: the nearer p is to 1, the likelier is a 0. Where an exponent is above 40, its exponential is the
    tangent. Half of scikit-learn's ``mean_tweedie_deviance`` differs by a function
    of t alone.
    Shapes: y, t (*K, B, O) -> losses (*K, B)
    Source: LightGBM's objective ``tweedie``.
    """

    power: float = option(
        default=1.5, gt=1, lt=2, stack=True, help="Power p of the mean that the variance grows with, 1-2."
    )

    link = "exponential"
    asked = NOT_NEGATIVE
    keeps_zero = True

    def scratch(self, width: int) -> Mapping[str, tuple[int, ...]]:
        return {**super().scratch(width), "rising": (ROWS, width), "falling": (ROWS, width)}

    def bind(self, s: Any) -> None:
        super().bind(s)
        s.steep = s.constant(STEEP)
        s.rise, s.fall = np.asarray(2 - s.o.power), np.asarray(1 - s.o.power)

    def forward(self, s: Any) -> None:
        np.multiply(s.y, s.rise, s.terms)
        stretched_exp(s.terms, s.steep, s.rising, s.terms)
        np.divide(s.terms, s.rise, s.terms)
        np.multiply(s.y, s.fall, s.dy)
        stretched_exp(s.dy, s.steep, s.falling, s.dy)
        np.divide(s.dy, s.fall, s.dy)
        np.multiply(s.dy, s.t, s.dy)
        np.subtract(s.terms, s.dy, s.terms)
        self.combine(s)

    def backward(self, s: Any) -> None:
        """``dy = exp((2 - p) y) - t exp((1 - p) y)``."""
        np.multiply(s.falling, s.t, s.dy)
        np.subtract(s.rising, s.dy, s.dy)
        np.multiply(s.dy, s.slope, s.dy)
