"""The weights of rows, put in between a loss and the layers: a batch's loss is ``sum of w l / sum of w``."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnctl.layers import Slot

Array = NDArray[Any]


class Weighing:
    """Two steps of a pass, for a loss that means over its rows.

    The rows of the pass are those of the batch from ``start`` on.
    Shapes: w (*K, B) all weights of the batch; of the N rows of the pass: losses (*K, N), dy (*K, N, O), factor
            (*K, N, 1), working memory
    """

    def __init__(self, loss: Slot, w: Array, factor: Array, start: int = 0) -> None:
        self.all, self.factor = w[..., None], factor
        self.w = w[..., start : start + factor.shape[-2]]
        self.each = self.w[..., None]
        self.sum = np.empty((*loss.members, 1, 1), loss.dtype)
        self.least, self.rows = loss.constant(np.finfo(loss.dtype).tiny), loss.constant(loss.rows)

    def forward(self, s: Slot) -> None:
        """``l := w l``."""
        np.multiply(s.losses, self.w, s.losses)

    def backward(self, s: Slot) -> None:
        """``dy := dy w B / sum of w``, for the loss has divided by B; 0 where all weights of the batch are 0."""
        np.add.reduce(self.all, -2, None, self.sum, keepdims=True)
        np.maximum(self.sum, self.least, out=self.sum)
        np.divide(self.each, self.sum, self.factor)
        np.multiply(self.factor, self.rows, self.factor)
        np.multiply(s.dy, self.factor, s.dy)
