"""The squared error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from nnctl.component import component, option
from nnctl.losses import ROWS, Loss


@component("mse", examples=[{}, {"reduction": "sum", "scale": 0.5}])
class Mse(Loss):
    """Squared error, ``scale * mean_o (y_o - t_o)^2`` for a row; the sum over o with ``reduction: sum``.

    For two classes there is one output with the target 1 for the positive class, for more one output a class.
    Shapes: y, t (*K, B, O) -> losses (*K, B)
    """

    reduction: Literal["mean", "sum"] = option(default="mean", help="How the outputs of a row are combined.")
    scale: float = option(
        default=1.0, gt=0, stack=True, help="Factor of the loss; 0.5 with sum is half the squared error of textbooks."
    )

    tasks = frozenset({"regression", "binary", "multiclass", "multilabel"})

    def scratch(self, width: int) -> Mapping[str, tuple[int, ...]]:
        return {"square": (ROWS, width)}

    def bind(self, s: Any) -> None:
        outputs = s.y.shape[-1] if self.reduction == "mean" else 1
        s.factor = (s.o.scale / s.constant(outputs)).astype(s.dtype)
        s.slope = (s.factor * s.per_row * s.constant(2)).astype(s.dtype)
        s.ones, s.column = np.ones((s.y.shape[-1], 1), s.dtype), s.losses[..., None]
        s.scaled, s.several = bool(np.any(s.factor != 1)), s.y.shape[-1] > 1
        s.square = s.square if s.several else s.column

    def forward(self, s: Any) -> None:
        np.subtract(s.y, s.t, s.dy)
        np.multiply(s.dy, s.dy, s.square)
        if s.scaled:
            np.multiply(s.square, s.factor, s.square)
        if s.several:
            s.product(s.square, s.ones, s.column)  # sums over the outputs faster than a reduction

    def backward(self, s: Any) -> None:
        np.multiply(s.dy, s.slope, s.dy)
