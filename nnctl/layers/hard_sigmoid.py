"""The logistic sigmoid in straight lines."""

from __future__ import annotations

import numpy as np

from nnctl.component import component
from nnctl.layers import ROWS, Activation, Scratch, Shape, Slot


@component("hard_sigmoid")
class HardSigmoid(Activation):
    """Hard sigmoid, ``y = min(max(x + 3, 0), 6) / 6``; its derivative at -3 and at 3 is 0, as in PyTorch.

    PyTorch's gradient in float64 holds 1 / 6 to the precision of float32 only.
    Keras had ``min(max(0.2 x + 0.5, 0), 1)`` under this name until its version 3, which has the form given here.
    Source: Howard et al. 2019.
    """

    def scratch(self, shape: Shape) -> dict[str, Scratch]:
        return {name: Scratch((ROWS, *shape), dtype=np.bool_) for name in ("above", "below")}

    def bind(self, s: Slot) -> None:
        s.three, s.six, s.sixth = s.constant(3), s.constant(6), s.constant(1 / 6)

    def forward(self, s: Slot) -> None:
        np.add(s.x, s.three, s.y)
        s.y.clip(s.zero, s.six, s.y)
        np.divide(s.y, s.six, s.y)

    def backward(self, s: Slot) -> None:
        np.greater(s.y, s.zero, s.above)
        np.less(s.y, s.one, s.below)
        np.logical_and(s.above, s.below, s.above)
        np.multiply(s.dy, s.above, s.dx)
        np.multiply(s.dx, s.sixth, s.dx)
