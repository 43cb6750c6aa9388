"""The rectified linear unit."""

from __future__ import annotations

import numpy as np

from nnctl.component import component
from nnctl.layers import Activation, Slot


@component("relu")
class Relu(Activation):
    """Rectified linear unit, ``y = max(x, 0)``; its derivative at 0 is 0, as in PyTorch.

    Source: Nair and Hinton 2010.
    """

    weights = "he_normal"

    def forward(self, s: Slot) -> None:
        np.maximum(s.x, s.zero, out=s.y)

    def backward(self, s: Slot) -> None:
        np.sign(s.y, s.y)  # 1 where the unit is active, else 0
        np.multiply(s.dy, s.y, s.dx)
