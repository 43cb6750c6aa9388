"""The squared hinge loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nnctl.component import component
from nnctl.losses import ROWS
from nnctl.losses.hinged import Hinged


@component("squared_hinge", examples=[{}, {"reduction": "sum"}])
class SquaredHinge(Hinged):
    """Squared hinge loss, ``max(0, 1 - z y)^2`` with ``z = 2 t - 1``, which is -1 or 1.

    A row is positive where y > 0; there are no probabilities. Several labels are averaged.
    Shapes: y, t (*K, B, O) -> losses (*K, B)
    Source: scikit-learn's ``LinearSVC``, Keras' ``SquaredHinge``.
    """

    def scratch(self, width: int) -> Mapping[str, tuple[int, ...]]:
        return {**super().scratch(width), "short": (ROWS, width)}

    def bind(self, s: Any) -> None:
        super().bind(s)
        s.slope = s.constant(-2 * s.slope)

    def forward(self, s: Any) -> None:
        self.fall_short(s, s.short)
        np.multiply(s.short, s.short, s.terms)
        self.combine(s)

    def backward(self, s: Any) -> None:
        np.multiply(s.short, s.side, s.dy)
        np.multiply(s.dy, s.slope, s.dy)
