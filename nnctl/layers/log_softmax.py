"""The logarithm of the softmax over the last axis."""

from __future__ import annotations

import numpy as np

from nnctl.component import component
from nnctl.layers import ROWS, Activation, Scratch, Shape, Slot


@component("log_softmax")
class LogSoftmax(Activation):
    """Logarithm of the softmax over the last axis, ``y_c = x_c - log(sum_j exp(x_j))``.

    The largest x is subtracted first, which changes nothing in exact arithmetic and cannot overflow.
    """

    def scratch(self, shape: Shape) -> dict[str, Scratch]:
        return {"row": Scratch((ROWS, *shape[:-1], 1)), "odds": Scratch((ROWS, *shape))}

    def forward(self, s: Slot) -> None:
        np.maximum.reduce(s.x, -1, None, s.row, keepdims=True)
        np.subtract(s.x, s.row, s.y)
        np.exp(s.y, s.odds)
        np.add.reduce(s.odds, -1, None, s.row, keepdims=True)
        np.log(s.row, s.row)
        np.subtract(s.y, s.row, s.y)

    def backward(self, s: Slot) -> None:
        """``dx = dy - exp(y) sum_j dy_j``."""
        np.add.reduce(s.dy, -1, None, s.row, keepdims=True)
        np.exp(s.y, s.y)
        np.multiply(s.y, s.row, s.y)
        np.subtract(s.dy, s.y, s.dx)
