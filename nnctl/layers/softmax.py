"""The softmax over the last axis."""

from __future__ import annotations

import numpy as np

from nnctl.component import component
from nnctl.layers import ROWS, Activation, Scratch, Shape, Slot


@component("softmax")
class Softmax(Activation):
    """Softmax over the last axis, ``y_c = exp(x_c) / sum_j exp(x_j)``.

    The largest x is subtracted first, which changes nothing in exact arithmetic and cannot overflow.
    """

    def scratch(self, shape: Shape) -> dict[str, Scratch]:
        return {"row": Scratch((ROWS, *shape[:-1], 1)), "product_dy": Scratch((ROWS, *shape))}

    def forward(self, s: Slot) -> None:
        np.maximum.reduce(s.x, -1, None, s.row, keepdims=True)
        np.subtract(s.x, s.row, s.y)
        np.exp(s.y, s.y)
        np.add.reduce(s.y, -1, None, s.row, keepdims=True)
        np.divide(s.y, s.row, s.y)

    def backward(self, s: Slot) -> None:
        """``dx = y (dy - sum_j dy_j y_j)``."""
        np.multiply(s.dy, s.y, s.product_dy)
        np.add.reduce(s.product_dy, -1, None, s.row, keepdims=True)
        np.subtract(s.dy, s.row, s.product_dy)
        np.multiply(s.product_dy, s.y, s.dx)
