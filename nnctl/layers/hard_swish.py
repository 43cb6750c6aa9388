"""The swish with a gate in straight lines."""

from __future__ import annotations

import numpy as np

from nnctl.component import component
from nnctl.layers import ROWS, Activation, Scratch, Shape, Slot


@component("hard_swish")
class HardSwish(Activation):
    """Hard swish, ``y = x min(max(x + 3, 0), 6) / 6``.

    Its derivative is 0 at -3 and 1 at 3, as in PyTorch 2.13; up to version 2.6 it was -0.5 and 1.5 there.
    Source: Howard et al. 2019.
    """

    reads = frozenset()
    weights = "he_normal"

    def scratch(self, shape: Shape) -> dict[str, Scratch]:
        flags = {name: Scratch((ROWS, *shape), dtype=np.bool_) for name in ("above", "below")}
        return {"gate": Scratch((ROWS, *shape)), **flags}

    def bind(self, s: Slot) -> None:
        s.three, s.six, s.half = s.constant(3), s.constant(6), s.constant(0.5)

    def forward(self, s: Slot) -> None:
        np.add(s.x, s.three, s.gate)
        s.gate.clip(s.zero, s.six, s.gate)
        np.divide(s.gate, s.six, s.gate)
        np.multiply(s.x, s.gate, s.y)

    def backward(self, s: Slot) -> None:
        """``dx = dy (gate + x gate')``, where x gate' = x / 6 = gate - 1/2 between the kinks, else 0."""
        np.greater(s.gate, s.zero, s.above)
        np.less(s.gate, s.one, s.below)
        np.logical_and(s.above, s.below, s.above)
        np.subtract(s.gate, s.half, s.y)
        np.multiply(s.y, s.above, s.y)
        np.add(s.y, s.gate, s.y)
        np.multiply(s.dy, s.y, s.dx)
