"""The hyperbolic tangent in straight lines."""

from __future__ import annotations

import numpy as np

from nnctl.component import component
from nnctl.layers import ROWS, Activation, Scratch, Shape, Slot


@component("hard_tanh")
class HardTanh(Activation):
    """Hard hyperbolic tangent, ``y = min(max(x, -1), 1)``; its derivative at -1 and at 1 is 0, as in PyTorch.

    Source: Collobert 2004.
    """

    def scratch(self, shape: Shape) -> dict[str, Scratch]:
        return {"inside": Scratch((ROWS, *shape), dtype=np.bool_)}

    def bind(self, s: Slot) -> None:
        s.minus_one = s.constant(-1)

    def forward(self, s: Slot) -> None:
        s.x.clip(s.minus_one, s.one, s.y)

    def backward(self, s: Slot) -> None:
        np.abs(s.y, s.y)
        np.less(s.y, s.one, s.inside)
        np.multiply(s.dy, s.inside, s.dx)
