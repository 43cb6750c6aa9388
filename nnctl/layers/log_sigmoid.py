"""The logarithm of the logistic sigmoid."""

from __future__ import annotations

import numpy as np

from nnctl.component import component
from nnctl.layers import ROWS, Activation, Scratch, Shape, Slot


@component("log_sigmoid")
class LogSigmoid(Activation):
    """Logarithm of the sigmoid, ``y = -log(1 + exp(-x))`` with derivative ``1 - exp(y)``.

    Computed as ``min(x, 0) - log(1 + exp(-|x|))``, which cannot overflow.
    """

    def scratch(self, shape: Shape) -> dict[str, Scratch]:
        return {"bend": Scratch((ROWS, *shape))}

    def forward(self, s: Slot) -> None:
        np.abs(s.x, s.bend)
        np.negative(s.bend, s.bend)
        np.exp(s.bend, s.bend)
        np.log1p(s.bend, s.bend)
        np.minimum(s.x, s.zero, out=s.y)
        np.subtract(s.y, s.bend, s.y)

    def backward(self, s: Slot) -> None:
        np.expm1(s.y, s.y)
        np.multiply(s.dy, s.y, s.dx)
        np.negative(s.dx, s.dx)
