"""The absolute error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nnctl.component import component
from nnctl.losses import ROWS, Loss


@component("mae")
class Mae(Loss):
    """Absolute error, ``mean_o |y_o - t_o|`` for a row; its derivative at 0 is 0.

    Shapes: y, t (*K, B, O) -> losses (*K, B)
    """

    tasks = frozenset({"regression"})

    def scratch(self, width: int) -> Mapping[str, tuple[int, ...]]:
        return {"size": (ROWS, width)}

    def bind(self, s: Any) -> None:
        s.factor = s.constant(1 / s.y.shape[-1])
        s.slope = (s.factor * s.per_row).astype(s.dtype)

    def forward(self, s: Any) -> None:
        np.subtract(s.y, s.t, s.dy)
        np.abs(s.dy, s.size)
        np.multiply(s.size, s.factor, s.size)
        np.add.reduce(s.size, -1, None, s.losses)

    def backward(self, s: Any) -> None:
        np.sign(s.dy, s.dy)
        np.multiply(s.dy, s.slope, s.dy)
