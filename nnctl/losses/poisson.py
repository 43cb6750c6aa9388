"""The likelihood of counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nnctl.component import component
from nnctl.losses import ROWS
from nnctl.losses.elementwise import STEEP, Elementwise, stretched_exp
from nnctl.losses.targets import NOT_NEGATIVE


@component("poisson", examples=[{}, {"reduction": "sum"}])
class Poisson(Elementwise):
    """Negative log-likelihood of counts t >= 0 with the mean ``exp(y)``: ``exp(y) - t y``.

    What y does not change is left out. From y = 40 on the exponential is its tangent. Targets need not be whole.
    Shapes: y, t (*K, B, O) -> losses (*K, B)
    Source: PyTorch's ``PoissonNLLLoss`` (log_input, not full).
    """

    link = "exponential"
    asked = NOT_NEGATIVE
    keeps_zero = True

    def scratch(self, width: int) -> Mapping[str, tuple[int, ...]]:
        return {**super().scratch(width), "mean": (ROWS, width)}

    def bind(self, s: Any) -> None:
        super().bind(s)
        s.steep = s.constant(STEEP)

    def forward(self, s: Any) -> None:
        np.multiply(s.t, s.y, s.dy)
        stretched_exp(s.y, s.steep, s.mean, s.terms)
        np.subtract(s.terms, s.dy, s.terms)
        self.combine(s)

    def backward(self, s: Any) -> None:
        np.subtract(s.mean, s.t, s.dy)
        np.multiply(s.dy, s.slope, s.dy)
