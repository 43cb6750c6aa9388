"""The hinge loss."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnctl.component import component
from nnctl.losses.hinged import Hinged


@component("hinge", examples=[{}, {"reduction": "sum"}])
class Hinge(Hinged):
    """Hinge loss, ``max(0, 1 - z y)`` with ``z = 2 t - 1``, which is -1 or 1; its derivative at the hinge is 0.

    A row is positive where y > 0; there are no probabilities. Several labels are averaged.
    Shapes: y, t (*K, B, O) -> losses (*K, B)
    Source: Cortes and Vapnik 1995; scikit-learn's ``hinge_loss``, Keras' ``Hinge``. PyTorch's ``HingeEmbeddingLoss`` is
    another loss.
    """

    def bind(self, s: Any) -> None:
        super().bind(s)
        s.slope = s.constant(-s.slope)

    def forward(self, s: Any) -> None:
        self.fall_short(s, s.terms)
        self.combine(s)

    def backward(self, s: Any) -> None:
        np.sign(s.terms, s.dy)
        np.multiply(s.dy, s.side, s.dy)
        np.multiply(s.dy, s.slope, s.dy)
