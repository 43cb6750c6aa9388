"""The rectified linear unit."""

from __future__ import annotations

import numpy as np

from nnctl.component import component
from nnctl.layers import ROWS, Activation, Scratch, Shape, Slot

FEW = 4096  # elements; up to here the cost of a call matters more than that of an element


@component("relu")
class Relu(Activation):
    """Rectified linear unit, ``y = max(x, 0)``; its derivative at 0 is 0, as in PyTorch.

    Source: Nair and Hinton 2010.
    """

    weights = "he_normal"
    rectifies = True

    def scratch(self, shape: Shape) -> dict[str, Scratch]:
        return {"signs": Scratch((ROWS, *shape)), "flags": Scratch((ROWS, *shape), dtype=np.bool_)}

    def bind(self, s: Slot) -> None:
        s.few, s.infinity = s.y.size <= FEW, s.constant(np.inf)
        s.mark, s.active = (_by_sign, s.signs) if s.few else (_by_flag, s.flags)

    def forward(self, s: Slot) -> None:
        if s.few:
            np.maximum(s.x, s.zero, out=s.y)
        else:
            s.x.clip(s.zero, s.infinity, s.y)  # a quarter of the time of maximum with one number

    def backward(self, s: Slot) -> None:
        s.mark(s)
        np.multiply(s.dy, s.active, s.dx)


def _by_sign(s: Slot) -> None:
    np.sign(s.y, s.signs)  # never in place: NumPy then branches for every element, 30 times slower


def _by_flag(s: Slot) -> None:
    np.greater(s.y, s.zero, s.flags)
