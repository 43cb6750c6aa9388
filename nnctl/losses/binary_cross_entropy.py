"""The cross-entropy of two classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nnctl.component import component
from nnctl.losses import ROWS, Array, Loss, smoothing


@component("binary_cross_entropy")
class BinaryCrossEntropy(Loss):
    """Cross-entropy of two classes, ``-t log p - (1 - t) log(1 - p)`` with ``p = sigmoid(y)``.

    Computed from the score as ``max(y, 0) - t y + log(1 + exp(-|y|))``, exact at any score.
    Shapes: y, t (*K, B, 1) -> losses (*K, B)
    """

    label_smoothing: float = smoothing()

    tasks = frozenset({"binary"})
    link = "sigmoid"

    def scratch(self, width: int) -> Mapping[str, tuple[int, ...]]:
        return {"terms": (ROWS, width)}

    def bind(self, s: Any) -> None:
        s.half = s.constant(0.5)

    def forward(self, s: Any) -> None:
        np.abs(s.y, s.terms)
        np.negative(s.terms, s.terms)
        np.exp(s.terms, s.terms)
        np.log1p(s.terms, s.terms)
        np.maximum(s.y, s.zero, out=s.dy)
        np.add(s.terms, s.dy, s.terms)
        np.multiply(s.y, s.t, s.dy)
        np.subtract(s.terms, s.dy, s.terms)
        np.add.reduce(s.terms, -1, None, s.losses)

    def backward(self, s: Any) -> None:
        """``dy = (sigmoid(y) - t) / B``, the sigmoid as ``(1 + tanh(y / 2)) / 2``."""
        np.multiply(s.y, s.half, s.dy)
        np.tanh(s.dy, s.dy)
        np.add(s.dy, s.one, s.dy)
        np.multiply(s.dy, s.half, s.dy)
        np.subtract(s.dy, s.t, s.dy)
        np.multiply(s.dy, s.per_row, s.dy)

    def predict(self, scores: Array) -> Array:
        return np.exp(-np.logaddexp(0.0, -np.asarray(scores, np.float64)))
