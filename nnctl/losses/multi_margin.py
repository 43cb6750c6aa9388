"""The hinge loss of several classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nnctl.component import component
from nnctl.losses import ROWS, Loss


@component("multi_margin")
class MultiMargin(Loss):
    """Margin loss, the sum over the other classes of ``max(0, 1 - y_true + y_c) / C``; its derivative at a hinge is 0.

    The class with the largest score is predicted; there are no probabilities.
    Shapes: y, t (*K, B, C) -> losses (*K, B), one t of a row is 1, the others are 0
    Source: Crammer and Singer 2001 take the largest term instead of the sum; PyTorch's ``MultiMarginLoss``.
    """

    tasks = frozenset({"multiclass"})
    probabilities = False

    def scratch(self, width: int) -> Mapping[str, tuple[int, ...]]:
        return {"terms": (ROWS, width), "row": (ROWS, 1)}

    def bind(self, s: Any) -> None:
        classes = s.y.shape[-1]
        s.share, s.slope = s.constant(1 / classes), s.constant(1 / (classes * s.rows))

    def forward(self, s: Any) -> None:
        np.multiply(s.y, s.t, s.dy)
        np.add.reduce(s.dy, -1, None, s.row, keepdims=True)
        np.subtract(s.y, s.row, s.terms)
        np.add(s.terms, s.one, s.terms)
        np.subtract(s.terms, s.t, s.terms)
        np.maximum(s.terms, s.zero, out=s.terms)
        np.add.reduce(s.terms, -1, None, s.losses)
        np.multiply(s.losses, s.share, s.losses)

    def backward(self, s: Any) -> None:
        """Every class beyond the margin pushes itself down and the true class up."""
        np.sign(s.terms, s.dy)
        np.add.reduce(s.dy, -1, None, s.row, keepdims=True)
        np.multiply(s.row, s.t, s.terms)
        np.subtract(s.dy, s.terms, s.dy)
        np.multiply(s.dy, s.slope, s.dy)
