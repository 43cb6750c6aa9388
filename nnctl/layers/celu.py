"""The exponential linear unit with a continuous derivative."""

from __future__ import annotations

import numpy as np

from nnctl.component import component, option
from nnctl.layers import ROWS, Activation, Scratch, Shape, Slot


@component("celu", examples=[{}, {"alpha": 0.6}])
class Celu(Activation):
    """Continuously differentiable exponential linear unit, ``y = max(x, 0) + min(alpha (exp(x / alpha) - 1), 0)``.

    PyTorch takes a negative alpha too, and its gradient in float64 holds 1 / alpha to the precision of float32 only.
    Source: Barron 2017.
    """

    alpha: float = option(default=1.0, gt=0, stack=True, help="The output for very negative inputs is -alpha.")

    weights = "he_normal"

    def scratch(self, shape: Shape) -> dict[str, Scratch]:
        return {"positive": Scratch((ROWS, *shape))}

    def bind(self, s: Slot) -> None:
        s.per_alpha = np.asarray(s.one / s.o.alpha)

    def forward(self, s: Slot) -> None:
        np.maximum(s.x, s.zero, out=s.positive)
        np.subtract(s.x, s.positive, s.y)  # min(x, 0)
        np.multiply(s.y, s.per_alpha, s.y)
        np.expm1(s.y, s.y)
        np.multiply(s.y, s.o.alpha, s.y)
        np.add(s.y, s.positive, s.y)

    def backward(self, s: Slot) -> None:
        """The derivative is min(y, 0) / alpha + 1."""
        np.subtract(s.y, s.positive, s.y)
        np.multiply(s.y, s.per_alpha, s.y)
        np.add(s.y, s.one, s.y)
        np.multiply(s.dy, s.y, s.dx)
