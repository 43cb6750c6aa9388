"""Max-pooling over all places."""

from __future__ import annotations

import math

import numpy as np

from nnctl.component import component
from nnctl.layers import ROWS, Inputs, Scratch, Slot
from nnctl.layers.global_pooling import GlobalPooling


@component("global_max_pool")
class GlobalMaxPool(GlobalPooling):
    """Largest input of every channel over all places, ``y = max_p x[p]``.

    The gradient goes to the first of equal inputs, as in PyTorch's adaptive pooling.
    Shapes: x (*K, B, ..., C) -> y (*K, B, C)
    """

    takes_largest = True

    def scratch(self, inputs: Inputs) -> dict[str, Scratch]:
        *axes, channels = inputs.shape
        places = Scratch((ROWS, math.prod(axes), channels), dtype=np.bool_)
        return {"gate": places, "seen": places}

    def forward(self, s: Slot) -> None:
        np.maximum.reduce(s.x_places, -2, None, out=s.y)
        if s.training:
            np.equal(s.x_places, s.y[..., None, :], s.gate)
            # Only the first of equal inputs is one more than has been seen in front of it.
            np.logical_or.accumulate(s.gate, -2, None, s.seen)
            np.greater(s.seen[..., 1:, :], s.seen[..., :-1, :], s.gate[..., 1:, :])

    def backward(self, s: Slot) -> None:
        np.multiply(s.dy_places, s.gate, s.dx_places)
