"""The rectified linear unit with a small slope below zero."""

from __future__ import annotations

import numpy as np

from nnctl.component import component, option
from nnctl.layers import ROWS, Activation, Scratch, Shape, Slot


@component("leaky_relu", examples=[{}, {"slope": 0.2}])
class LeakyRelu(Activation):
    """Leaky rectified linear unit, ``y = max(x, slope x)``; its derivative at 0 is the slope, as in PyTorch.

    Source: Maas, Hannun and Ng 2013.
    """

    slope: float = option(default=0.01, ge=0, lt=1, stack=True, help="Slope for negative inputs.")

    overwrites_x = False
    weights = "he_normal"

    def scratch(self, shape: Shape) -> dict[str, Scratch]:
        return {"above": Scratch((ROWS, *shape), dtype=np.bool_)}

    def bind(self, s: Slot) -> None:
        s.jump = np.asarray(s.one - s.o.slope)  # of the derivative at 0

    def forward(self, s: Slot) -> None:
        np.multiply(s.x, s.o.slope, s.y)
        np.maximum(s.x, s.y, out=s.y)

    def backward(self, s: Slot) -> None:
        np.greater(s.y, s.zero, s.above)
        np.multiply(s.above, s.jump, s.y)
        np.add(s.y, s.o.slope, s.y)
        np.multiply(s.dy, s.y, s.dx)
