"""The logistic sigmoid."""

from __future__ import annotations

import numpy as np

from nnctl.component import component
from nnctl.layers import ROWS, Activation, Scratch, Shape, Slot


@component("sigmoid")
class Sigmoid(Activation):
    """Logistic sigmoid, ``y = 1 / (1 + exp(-x))`` with derivative ``y (1 - y)``.

    Computed as ``(1 + tanh(x / 2)) / 2``, which is the same function and cannot overflow.
    """

    def scratch(self, shape: Shape) -> dict[str, Scratch]:
        return {"slope": Scratch((ROWS, *shape))}

    def bind(self, s: Slot) -> None:
        s.half = s.constant(0.5)

    def forward(self, s: Slot) -> None:
        np.multiply(s.x, s.half, s.y)
        np.tanh(s.y, s.y)
        np.multiply(s.y, s.half, s.y)
        np.add(s.y, s.half, s.y)

    def backward(self, s: Slot) -> None:
        np.subtract(s.one, s.y, s.slope)
        np.multiply(s.slope, s.y, s.slope)
        np.multiply(s.dy, s.slope, s.dx)
