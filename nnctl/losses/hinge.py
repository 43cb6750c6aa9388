"""The hinge loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nnctl.component import component
from nnctl.losses import ROWS, Array
from nnctl.losses.elementwise import Elementwise


@component("hinge", examples=[{}, {"reduction": "sum"}])
class Hinge(Elementwise):
    """Hinge loss, ``max(0, 1 - z y)`` with ``z = 2 t - 1``, which is -1 or 1; its derivative at the hinge is 0.

    A row is positive where y > 0; there are no probabilities. Several labels are averaged.
    Shapes: y, t (*K, B, O) -> losses (*K, B)
    Source: Cortes and Vapnik 1995; scikit-learn's ``hinge_loss``, Keras' ``Hinge``. PyTorch's ``HingeEmbeddingLoss`` is
    another loss.
    """

    tasks = frozenset({"binary", "multilabel"})
    probabilities = False
    boundary = 0.0

    def scratch(self, width: int) -> Mapping[str, tuple[int, ...]]:
        return {**super().scratch(width), "side": (ROWS, width)}

    def bind(self, s: Any) -> None:
        super().bind(s)
        s.two, s.slope = s.constant(2), s.constant(-s.slope)

    def forward(self, s: Any) -> None:
        np.multiply(s.t, s.two, s.side)
        np.subtract(s.side, s.one, s.side)
        np.multiply(s.side, s.y, s.terms)
        np.subtract(s.one, s.terms, s.terms)
        np.maximum(s.terms, s.zero, out=s.terms)
        self.combine(s)

    def backward(self, s: Any) -> None:
        np.sign(s.terms, s.dy)
        np.multiply(s.dy, s.side, s.dy)
        np.multiply(s.dy, s.slope, s.dy)

    def scores(self, t: Array) -> Array:
        return 2 * np.asarray(t, np.float64) - 1
