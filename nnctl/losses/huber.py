"""The Huber loss."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnctl.component import component, option
from nnctl.losses.elementwise import Elementwise


@component("huber", examples=[{}, {"delta": 0.5, "reduction": "sum"}, {"delta": 3.0}])
class Huber(Elementwise):
    """Huber loss of ``d = y - t``: ``d^2 / 2`` up to ``|d| = delta``, beyond that ``delta (|d| - delta / 2)``.

    With c, which is d cut off at -delta and delta, both are ``c (2 d - c) / 2``, and the derivative is c.
    Shapes: y, t (*K, B, O) -> losses (*K, B)
    Source: Huber 1964; PyTorch's ``HuberLoss``. PyTorch's ``SmoothL1Loss`` with beta is this divided by delta.
    """

    delta: float = option(default=1.0, gt=0, stack=True, help="Error from which on the loss grows in a straight line.")

    tasks = frozenset({"regression", "binary", "multiclass", "multilabel"})

    def bind(self, s: Any) -> None:
        super().bind(s)
        s.least = np.asarray(-s.o.delta)
        s.factor = s.constant(s.factor / 2)

    def forward(self, s: Any) -> None:
        np.subtract(s.y, s.t, s.terms)
        np.minimum(s.terms, s.o.delta, out=s.dy)
        np.maximum(s.dy, s.least, out=s.dy)
        np.add(s.terms, s.terms, s.terms)
        np.subtract(s.terms, s.dy, s.terms)
        np.multiply(s.terms, s.dy, s.terms)
        self.combine(s)

    def backward(self, s: Any) -> None:
        """Forward left the derivative in dy."""
        np.multiply(s.dy, s.slope, s.dy)
