"""The sigmoid-weighted linear unit."""

from __future__ import annotations

import numpy as np

from nnctl.component import component
from nnctl.layers import ROWS, Activation, Scratch, Shape, Slot


@component("silu", aliases=["swish"])
class Silu(Activation):
    """Sigmoid-weighted linear unit, ``y = x / (1 + exp(-x))``.

    The gate is computed as ``(1 + tanh(x / 2)) / 2``, which cannot overflow: it is exact to the rounding of 1.
    Source: Elfwing, Uchibe and Doya 2018; Ramachandran, Zoph and Le 2017 under the name swish.
    """

    weights = "he_normal"

    def scratch(self, shape: Shape) -> dict[str, Scratch]:
        return {name: Scratch((ROWS, *shape)) for name in ("gate", "rest")}

    def bind(self, s: Slot) -> None:
        s.half = s.constant(0.5)

    def forward(self, s: Slot) -> None:
        np.multiply(s.x, s.half, s.gate)
        np.tanh(s.gate, s.gate)
        np.multiply(s.gate, s.half, s.gate)
        np.add(s.gate, s.half, s.gate)
        np.multiply(s.x, s.gate, s.y)

    def backward(self, s: Slot) -> None:
        """The derivative is gate + y (1 - gate)."""
        np.subtract(s.one, s.gate, s.rest)
        np.multiply(s.y, s.rest, s.y)
        np.add(s.y, s.gate, s.y)
        np.multiply(s.dy, s.y, s.dx)
