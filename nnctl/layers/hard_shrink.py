"""Small inputs set to zero."""

from __future__ import annotations

import numpy as np

from nnctl.component import component, option
from nnctl.layers import ROWS, Activation, Scratch, Shape, Slot


@component("hard_shrink", examples=[{}, {"threshold": 0.2}])
class HardShrink(Activation):
    """Hard shrinkage, ``y = x`` where ``|x| > threshold``, else 0; its derivative at +-threshold is 0, as in PyTorch.

    Source: Donoho and Johnstone 1994, hard thresholding.
    """

    threshold: float = option(default=0.5, ge=0, stack=True, help="Inputs of at most this size become 0.")

    overwrites_x = False
    reads = frozenset()

    def scratch(self, shape: Shape) -> dict[str, Scratch]:
        return {"kept": Scratch((ROWS, *shape), dtype=np.bool_)}

    def forward(self, s: Slot) -> None:
        np.abs(s.x, s.y)
        np.greater(s.y, s.o.threshold, s.kept)
        np.multiply(s.x, s.kept, s.y)

    def backward(self, s: Slot) -> None:
        np.multiply(s.dy, s.kept, s.dx)
