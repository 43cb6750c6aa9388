"""The mish activation."""

from __future__ import annotations

import numpy as np

from nnctl.component import component
from nnctl.layers import ROWS, Activation, Scratch, Shape, Slot

LARGE = 40.0  # from here on tanh(log(1 + exp(x))) is 1 in any dtype; exp(2 LARGE) is finite in float32


@component("mish")
class Mish(Activation):
    """Mish, ``y = x tanh(log(1 + exp(x)))``.

    With ``w = exp(x)`` the hyperbolic tangent is ``T = n r``, where n = w (w + 2) and r = 1 / (n + 2): exact to the
    last digits for any x, and without a logarithm.
    Source: Misra 2019.
    """

    overwrites_x = False
    reads = frozenset({"x"})
    weights = "he_normal"

    def scratch(self, shape: Shape) -> dict[str, Scratch]:
        return {name: Scratch((ROWS, *shape)) for name in ("w", "r", "T")}

    def bind(self, s: Slot) -> None:
        s.large, s.two, s.four = s.constant(LARGE), s.constant(2), s.constant(4)

    def forward(self, s: Slot) -> None:
        np.minimum(s.x, s.large, out=s.w)
        np.exp(s.w, s.w)
        np.add(s.w, s.two, s.T)
        np.multiply(s.T, s.w, s.T)
        np.add(s.T, s.two, s.r)
        np.divide(s.one, s.r, s.r)
        np.multiply(s.T, s.r, s.T)
        np.multiply(s.x, s.T, s.y)

    def backward(self, s: Slot) -> None:
        """The derivative is T + 4 x r (T - w r): T' = (1 - T^2) w / (1 + w), written in w and r."""
        np.multiply(s.w, s.r, s.w)
        np.subtract(s.T, s.w, s.w)
        np.multiply(s.w, s.r, s.w)
        np.multiply(s.w, s.x, s.w)
        np.multiply(s.w, s.four, s.w)
        np.add(s.w, s.T, s.w)
        np.multiply(s.dy, s.w, s.dx)
