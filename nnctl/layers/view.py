"""What reshape and flatten have in common: the same numbers in another shape."""

from __future__ import annotations

import numpy as np

from nnctl.component import section
from nnctl.layers import Layer, Slot


@section
class View(Layer):
    """A layer that changes the shape of a row and nothing else, the last axis counting fastest.

    It costs nothing where the workspace lets y be the memory of x: wherever no backward reads that. Elsewhere it is a
    copy. The gradients are always one memory.
    """

    transparent = True
    overwrites_x = True
    overwrites_dy = True

    def bind(self, s: Slot) -> None:
        s.same_memory = np.may_share_memory(s.x, s.y)
        s.y_like_x = s.y.reshape(s.x.shape)

    def forward(self, s: Slot) -> None:
        if not s.same_memory:
            np.copyto(s.y_like_x, s.x)

    def backward(self, s: Slot) -> None:
        """Nothing to do: dx is dy in another shape."""
