"""The rectified linear unit that is capped at 6."""

from __future__ import annotations

import numpy as np

from nnctl.component import component
from nnctl.layers import ROWS, Activation, Scratch, Shape, Slot


@component("relu6")
class Relu6(Activation):
    """Rectified linear unit with a ceiling, ``y = min(max(x, 0), 6)``; its derivative at 0 and 6 is 0, as in PyTorch.

    Source: Krizhevsky 2010, convolutional deep belief networks on CIFAR-10.
    """

    weights = "he_normal"

    def scratch(self, shape: Shape) -> dict[str, Scratch]:
        return {name: Scratch((ROWS, *shape), dtype=np.bool_) for name in ("above", "below")}

    def bind(self, s: Slot) -> None:
        s.six = s.constant(6)

    def forward(self, s: Slot) -> None:
        s.x.clip(s.zero, s.six, s.y)

    def backward(self, s: Slot) -> None:
        np.greater(s.y, s.zero, s.above)
        np.less(s.y, s.six, s.below)
        np.logical_and(s.above, s.below, s.above)
        np.multiply(s.dy, s.above, s.dx)
