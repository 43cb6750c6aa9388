"""The self-normalising exponential linear unit."""

from __future__ import annotations

import numpy as np

from nnctl.component import component
from nnctl.layers import ROWS, Activation, Scratch, Shape, Slot

# The solution of: outputs of standard normal inputs have mean 0 and variance 1 (Klambauer et al. 2017, equation 14).
ALPHA = 1.6732632423543772848170429916717
SCALE = 1.0507009873554804934193349852946


@component("selu")
class Selu(Activation):
    """Scaled exponential linear unit, ``y = scale x`` where x > 0, else ``scale alpha (exp(x) - 1)``.

    With alpha = 1.6733 and scale = 1.0507, mean 0 and variance 1 are a fixed point behind lecun_normal weights. Its
    derivative at 0 is scale alpha, as in PyTorch.
    Source: Klambauer et al. 2017.
    """

    weights = "lecun_normal"

    def scratch(self, shape: Shape) -> dict[str, Scratch]:
        return {"positive": Scratch((ROWS, *shape)), "above": Scratch((ROWS, *shape), dtype=np.bool_)}

    def bind(self, s: Slot) -> None:
        s.scale, s.depth, s.jump = s.constant(SCALE), s.constant(SCALE * ALPHA), s.constant(SCALE - SCALE * ALPHA)

    def forward(self, s: Slot) -> None:
        np.maximum(s.x, s.zero, out=s.positive)
        np.subtract(s.x, s.positive, s.y)  # min(x, 0)
        np.expm1(s.y, s.y)
        np.multiply(s.y, s.depth, s.y)
        np.multiply(s.positive, s.scale, s.positive)
        np.add(s.y, s.positive, s.y)

    def backward(self, s: Slot) -> None:
        """The derivative is min(y, 0) + scale alpha, and that of x > 0 is scale."""
        np.greater(s.positive, s.zero, s.above)
        np.subtract(s.y, s.positive, s.y)
        np.add(s.y, s.depth, s.y)
        np.multiply(s.above, s.jump, s.positive)
        np.add(s.y, s.positive, s.y)
        np.multiply(s.dy, s.y, s.dx)
