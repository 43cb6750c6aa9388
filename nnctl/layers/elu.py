"""The exponential linear unit."""

from __future__ import annotations

import numpy as np

from nnctl.component import component, option
from nnctl.layers import ROWS, Activation, Scratch, Shape, Slot


@component("elu", examples=[{}, {"alpha": 0.6}])
class Elu(Activation):
    """Exponential linear unit, ``y = x`` where x > 0, else ``alpha (exp(x) - 1)``.

    Its derivative at 0 is alpha, as in PyTorch.
    Source: Clevert, Unterthiner and Hochreiter 2016.
    """

    alpha: float = option(default=1.0, gt=0, stack=True, help="The output for very negative inputs is -alpha.")

    weights = "he_normal"

    def scratch(self, shape: Shape) -> dict[str, Scratch]:
        return {"positive": Scratch((ROWS, *shape)), "above": Scratch((ROWS, *shape), dtype=np.bool_)}

    def bind(self, s: Slot) -> None:
        s.jump = np.asarray(s.one - s.o.alpha)  # of the derivative at 0

    def forward(self, s: Slot) -> None:
        np.maximum(s.x, s.zero, out=s.positive)
        np.subtract(s.x, s.positive, s.y)  # min(x, 0)
        np.expm1(s.y, s.y)
        np.multiply(s.y, s.o.alpha, s.y)
        np.add(s.y, s.positive, s.y)

    def backward(self, s: Slot) -> None:
        """The derivative is min(y, 0) + alpha, and that of x > 0 is 1."""
        np.greater(s.positive, s.zero, s.above)
        np.subtract(s.y, s.positive, s.y)
        np.add(s.y, s.o.alpha, s.y)
        np.multiply(s.above, s.jump, s.positive)
        np.add(s.y, s.positive, s.y)
        np.multiply(s.dy, s.y, s.dx)
