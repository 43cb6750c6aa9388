"""The exponential function."""

from __future__ import annotations

import numpy as np

from nnctl.component import component
from nnctl.layers import Activation, Slot


@component("exponential")
class Exponential(Activation):
    """Exponential, ``y = exp(x)``, its own derivative; in float32 it is infinite where x > 88.7."""

    def forward(self, s: Slot) -> None:
        np.exp(s.x, s.y)

    def backward(self, s: Slot) -> None:
        np.multiply(s.dy, s.y, s.dx)
