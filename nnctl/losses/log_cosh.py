"""The logarithm of the hyperbolic cosine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nnctl.component import component
from nnctl.losses import ROWS
from nnctl.losses.elementwise import Elementwise


@component("log_cosh", examples=[{}, {"reduction": "sum"}])
class LogCosh(Elementwise):
    """Logarithm of the hyperbolic cosine, ``log cosh(y - t)``: ``d^2 / 2`` near 0, ``|d| - log 2`` far off.

    Computed as ``|d| + log(1 + expm1(-2 |d|) / 2)``, which neither overflows nor loses small errors.
    Shapes: y, t (*K, B, O) -> losses (*K, B)
    Source: Keras' ``LogCosh``; PyTorch has none.
    """

    def scratch(self, width: int) -> Mapping[str, tuple[int, ...]]:
        return {**super().scratch(width), "size": (ROWS, width)}

    def bind(self, s: Any) -> None:
        super().bind(s)
        s.half, s.minus_two = s.constant(0.5), s.constant(-2)

    def forward(self, s: Any) -> None:
        np.subtract(s.y, s.t, s.dy)
        np.abs(s.dy, s.size)
        np.multiply(s.size, s.minus_two, s.terms)
        np.expm1(s.terms, s.terms)
        np.multiply(s.terms, s.half, s.terms)
        np.log1p(s.terms, s.terms)
        np.add(s.terms, s.size, s.terms)
        self.combine(s)

    def backward(self, s: Any) -> None:
        np.tanh(s.dy, s.dy)
        np.multiply(s.dy, s.slope, s.dy)
