"""The likelihood of positive amounts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nnctl.component import component
from nnctl.losses import ROWS
from nnctl.losses.elementwise import STEEP, Elementwise, stretched_exp
from nnctl.losses.targets import POSITIVE


@component("gamma", examples=[{}, {"reduction": "sum"}])
class Gamma(Elementwise):
    """Negative log-likelihood of amounts t > 0, gamma distributed around ``exp(y)``: ``y + t exp(-y)``.

    What y does not change is left out; a shape of the distribution other than 1 is a factor of the whole. Below
    y = -40 the exponential is its tangent. Half of scikit-learn's ``mean_gamma_deviance`` is this minus ``1 + log t``.
    Shapes: y, t (*K, B, O) -> losses (*K, B)
    Source: LightGBM's objective ``gamma``.
    """

    link = "exponential"
    asked = POSITIVE
    keeps_zero = True

    def scratch(self, width: int) -> Mapping[str, tuple[int, ...]]:
        return {**super().scratch(width), "inverse": (ROWS, width)}

    def bind(self, s: Any) -> None:
        super().bind(s)
        s.steep = s.constant(STEEP)

    def forward(self, s: Any) -> None:
        np.negative(s.y, s.terms)
        stretched_exp(s.terms, s.steep, s.inverse, s.terms)
        np.multiply(s.terms, s.t, s.terms)
        np.add(s.terms, s.y, s.terms)
        self.combine(s)

    def backward(self, s: Any) -> None:
        """``dy = 1 - t exp(-y)``."""
        np.multiply(s.inverse, s.t, s.dy)
        np.subtract(s.one, s.dy, s.dy)
        np.multiply(s.dy, s.slope, s.dy)
