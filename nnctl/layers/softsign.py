"""The softsign."""

from __future__ import annotations

import numpy as np

from nnctl.component import component
from nnctl.layers import ROWS, Activation, Scratch, Shape, Slot


@component("softsign")
class Softsign(Activation):
    """Softsign, ``y = x r`` with ``r = 1 / (1 + |x|)`` and derivative ``r^2``.

    Source: Bergstra et al. 2009.
    """

    reads = frozenset()

    def scratch(self, shape: Shape) -> dict[str, Scratch]:
        return {"r": Scratch((ROWS, *shape))}

    def forward(self, s: Slot) -> None:
        np.abs(s.x, s.r)
        np.add(s.r, s.one, s.r)
        np.divide(s.one, s.r, s.r)
        np.multiply(s.x, s.r, s.y)

    def backward(self, s: Slot) -> None:
        np.multiply(s.dy, s.r, s.dx)
        np.multiply(s.dx, s.r, s.dx)
