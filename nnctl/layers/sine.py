"""The sine."""

from __future__ import annotations

import numpy as np

from nnctl.component import component
from nnctl.layers import Activation, Slot


@component("sine")
class Sine(Activation):
    """Sine, ``y = sin(x)`` with derivative ``cos(x)``.

    Source: Sitzmann et al. 2020, whose factor omega_0 is here a matter of the weights in front.
    """

    reads = frozenset({"x"})

    def forward(self, s: Slot) -> None:
        np.sin(s.x, s.y)

    def backward(self, s: Slot) -> None:
        np.cos(s.x, s.y)
        np.multiply(s.dy, s.y, s.dx)
