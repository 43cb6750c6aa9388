"""Shrinkage towards zero."""

from __future__ import annotations

import numpy as np

from nnctl.component import component, option
from nnctl.layers import ROWS, Activation, Scratch, Shape, Slot


@component("soft_shrink", examples=[{}, {"threshold": 0.2}])
class SoftShrink(Activation):
    """Soft shrinkage, ``y = x - min(max(x, -threshold), threshold)``.

    Its derivative at -threshold and at threshold is 0, as in PyTorch.
    Source: Donoho 1995, soft thresholding.
    """

    threshold: float = option(default=0.5, ge=0, stack=True, help="Inputs of at most this size become 0.")

    overwrites_x = False

    def scratch(self, shape: Shape) -> dict[str, Scratch]:
        return {"kept": Scratch((ROWS, *shape), dtype=np.bool_)}

    def bind(self, s: Slot) -> None:
        s.lowest = np.asarray(-s.o.threshold)

    def forward(self, s: Slot) -> None:
        s.x.clip(s.lowest, s.o.threshold, s.y)
        np.subtract(s.x, s.y, s.y)

    def backward(self, s: Slot) -> None:
        np.not_equal(s.y, s.zero, s.kept)
        np.multiply(s.dy, s.kept, s.dx)
