"""The hyperbolic tangent."""

from __future__ import annotations

import numpy as np

from nnctl.component import component
from nnctl.layers import Activation, Slot


@component("tanh")
class Tanh(Activation):
    """Hyperbolic tangent, ``y = tanh(x)`` with derivative ``1 - y^2``."""

    def forward(self, s: Slot) -> None:
        np.tanh(s.x, s.y)

    def backward(self, s: Slot) -> None:
        np.multiply(s.y, s.y, s.y)
        np.subtract(s.one, s.y, s.y)
        np.multiply(s.dy, s.y, s.dx)
