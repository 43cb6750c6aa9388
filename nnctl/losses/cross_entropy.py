"""The cross-entropy of several classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nnctl.component import component
from nnctl.losses import ROWS, Array, Loss, smoothing


@component("cross_entropy")
class CrossEntropy(Loss):
    """Cross-entropy of several classes, ``-sum_c t_c log p_c`` with ``p = softmax(y)`` and ``sum_c t_c = 1``.

    Computed as ``log sum_c exp(y_c - m) - sum_c t_c (y_c - m)`` with m the largest score of the row.
    Shapes: y, t (*K, B, C) -> losses (*K, B)
    """

    label_smoothing: float = smoothing()

    tasks = frozenset({"multiclass", "binary"})
    link = "softmax"

    def width(self, *, task: str, classes: int, targets: int) -> int:
        return classes

    def scratch(self, width: int) -> Mapping[str, tuple[int, ...]]:
        return {"row": (ROWS, 1), "true": (ROWS,), "terms": (ROWS, width)}

    def bind(self, s: Any) -> None:
        s.row_losses = s.losses[..., None]

    def forward(self, s: Any) -> None:
        np.maximum.reduce(s.y, -1, None, s.row, keepdims=True)
        np.subtract(s.y, s.row, s.dy)
        np.multiply(s.dy, s.t, s.terms)
        np.add.reduce(s.terms, -1, None, s.true)
        np.exp(s.dy, s.dy)
        np.add.reduce(s.dy, -1, None, s.row, keepdims=True)
        np.log(s.row, s.row_losses)
        np.subtract(s.losses, s.true, s.losses)

    def backward(self, s: Any) -> None:
        """``dy = (softmax(y) - t) / B``; forward left the exponentials in dy and their sums in row."""
        np.divide(s.dy, s.row, s.dy)
        np.subtract(s.dy, s.t, s.dy)
        np.multiply(s.dy, s.per_row, s.dy)

    def predict(self, scores: Array) -> Array:
        shifted = np.asarray(scores, np.float64)
        exponentials = np.exp(shifted - shifted.max(axis=-1, keepdims=True))
        return np.asarray(exponentials / exponentials.sum(axis=-1, keepdims=True))
