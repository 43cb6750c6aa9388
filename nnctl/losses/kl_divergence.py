"""The divergence of a predicted distribution from the true one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nnctl.component import component
from nnctl.errors import Problem, SpecError
from nnctl.losses import CERTAIN, ROWS, Loss
from nnctl.losses.targets import SHARES


@component("kl_divergence")
class KlDivergence(Loss):
    """Kullback-Leibler divergence, ``sum_o t_o (log t_o - log p_o)`` with ``p = softmax(y)``; 0 log 0 is 0.

    The targets of a row are the shares of one distribution, a column each.
    Shapes: y, t (*K, B, O) -> losses (*K, B)
    Source: Kullback and Leibler 1951; PyTorch's ``KLDivLoss`` with ``reduction: batchmean``.
    """

    tasks = frozenset({"regression"})
    link = "softmax"
    asked = SHARES
    keeps_zero = True

    def width(self, *, task: str, classes: int, targets: int) -> int:
        if targets < 2:
            message = "kl_divergence learns the shares of a distribution: name their columns as a list"
            raise SpecError(Problem(message, "data.target"))
        return targets

    def scratch(self, width: int) -> Mapping[str, tuple[int, ...]]:
        return {"row": (ROWS, 1), "whole": (ROWS, 1), "terms": (ROWS, width)}

    def bind(self, s: Any) -> None:
        s.least = s.constant(CERTAIN**2)

    def forward(self, s: Any) -> None:
        """With z the scores less the largest: ``sum_o t_o (log t_o - z_o) + sum_o t_o log sum_o exp(z_o)``."""
        np.maximum.reduce(s.y, -1, None, s.row, keepdims=True)
        np.subtract(s.y, s.row, s.dy)
        np.maximum(s.t, s.least, out=s.terms)
        np.log(s.terms, s.terms)
        np.subtract(s.terms, s.dy, s.terms)
        np.exp(s.dy, s.dy)
        np.add.reduce(s.dy, -1, None, s.row, keepdims=True)
        np.log(s.row, s.whole)
        np.add(s.terms, s.whole, s.terms)
        np.multiply(s.terms, s.t, s.terms)
        np.add.reduce(s.terms, -1, None, s.losses)
        np.add.reduce(s.t, -1, None, s.whole, keepdims=True)

    def backward(self, s: Any) -> None:
        """``dy = (sum_o t_o softmax(y) - t) / B``; forward left the exponentials in dy and their sums in row."""
        np.divide(s.dy, s.row, s.dy)
        np.multiply(s.dy, s.whole, s.dy)
        np.subtract(s.dy, s.t, s.dy)
        np.multiply(s.dy, s.per_row, s.dy)
