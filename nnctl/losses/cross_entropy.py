"""The cross-entropy of several classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nnctl.component import component
from nnctl.losses import ROWS, Array, Loss, smoothing

FEW = 32  # classes; up to here the scores are worked on class by class, where reductions over classes are fast


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
        form = (width, ROWS) if width <= FEW else (ROWS, width)
        found = {"row": (ROWS,), "true": (ROWS,), "terms": form, "powers": form}
        return {**found, "soft": (ROWS, width)} if self.label_smoothing else found

    def bind(self, s: Any) -> None:
        classes = s.y.shape[-1]
        s.target = s.soft if self.label_smoothing else s.t
        s.kept, s.spread = s.constant(1 - self.label_smoothing), s.constant(self.label_smoothing / classes)
        s.axis = -2 if classes <= FEW else -1
        s.scores, s.truth, s.slopes = (array.mT if s.axis == -2 else array for array in (s.y, s.target, s.dy))
        s.sum, s.share = np.expand_dims(s.row, s.axis), np.expand_dims(s.true, s.axis)
        # A product with ones sums over the classes faster than a reduction.
        ones = np.ones(classes, s.dtype)
        s.of_powers = (ones[None], s.powers) if s.axis == -2 else (s.powers, ones[:, None])
        s.of_terms = (ones[None], s.terms) if s.axis == -2 else (s.terms, ones[:, None])

    def forward(self, s: Any) -> None:
        if self.label_smoothing:
            np.multiply(s.t, s.kept, s.soft)
            np.add(s.soft, s.spread, s.soft)
        np.copyto(s.powers, s.scores)
        np.maximum.reduce(s.powers, s.axis, None, s.row)
        np.subtract(s.powers, s.sum, s.powers)
        np.multiply(s.powers, s.truth, s.terms)
        s.product(*s.of_terms, s.share)
        np.exp(s.powers, s.powers)
        s.product(*s.of_powers, s.sum)
        np.log(s.row, s.losses)
        np.subtract(s.losses, s.true, s.losses)

    def backward(self, s: Any) -> None:
        """``dy = (softmax(y) - t) / B``; forward left the exponentials and their sums."""
        np.divide(s.powers, s.sum, s.powers)
        np.subtract(s.powers, s.truth, s.powers)
        np.multiply(s.powers, s.per_row, s.slopes)

    def scores(self, t: Array) -> Array:
        """Those of the smoothed t."""
        t = np.asarray(t, np.float64)
        return super().scores(t * (1 - self.label_smoothing) + self.label_smoothing / t.shape[-1])
