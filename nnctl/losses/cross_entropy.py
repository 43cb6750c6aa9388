"""The cross-entropy of several classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nnctl.component import component
from nnctl.losses import ROWS, Array, Loss, smoothing


@component("cross_entropy", examples=[{}, {"label_smoothing": 0.1}])
class CrossEntropy(Loss):
    """Cross-entropy of several classes, ``-sum_c t_c log p_c`` with ``p = softmax(y)`` and ``sum_c t_c = 1``.

    Computed as ``log sum_c exp(y_c - m) - sum_c t_c (y_c - m)`` with m the largest score of the row. With
    ``label_smoothing: s`` the target is ``t (1 - s) + s / C``.
    Shapes: y, t (*K, B, C) -> losses (*K, B)
    Source: PyTorch's ``CrossEntropyLoss``; with both, a class weight there applies to each class's share of a smoothed
    target, here to the row.
    """

    label_smoothing: float = smoothing()

    tasks = frozenset({"multiclass", "binary"})
    link = "softmax"

    def width(self, *, task: str, classes: int, targets: int) -> int:
        return classes

    def scratch(self, width: int) -> Mapping[str, tuple[int, ...]]:
        found = {"row": (ROWS, 1), "true": (ROWS,), "terms": (ROWS, width)}
        return {**found, "soft": (ROWS, width)} if self.label_smoothing else found

    def bind(self, s: Any) -> None:
        s.row_losses = s.losses[..., None]
        s.target = s.soft if self.label_smoothing else s.t
        s.kept, s.spread = s.constant(1 - self.label_smoothing), s.constant(self.label_smoothing / s.y.shape[-1])

    def forward(self, s: Any) -> None:
        if self.label_smoothing:
            np.multiply(s.t, s.kept, s.soft)
            np.add(s.soft, s.spread, s.soft)
        np.maximum.reduce(s.y, -1, None, s.row, keepdims=True)
        np.subtract(s.y, s.row, s.dy)
        np.multiply(s.dy, s.target, s.terms)
        np.add.reduce(s.terms, -1, None, s.true)
        np.exp(s.dy, s.dy)
        np.add.reduce(s.dy, -1, None, s.row, keepdims=True)
        np.log(s.row, s.row_losses)
        np.subtract(s.losses, s.true, s.losses)

    def backward(self, s: Any) -> None:
        """``dy = (softmax(y) - t) / B``; forward left the exponentials in dy and their sums in row."""
        np.divide(s.dy, s.row, s.dy)
        np.subtract(s.dy, s.target, s.dy)
        np.multiply(s.dy, s.per_row, s.dy)

    def scores(self, t: Array) -> Array:
        """Those of the smoothed t."""
        t = np.asarray(t, np.float64)
        return super().scores(t * (1 - self.label_smoothing) + self.label_smoothing / t.shape[-1])
