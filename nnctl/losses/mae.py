"""The absolute error."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnctl.component import component
from nnctl.losses.elementwise import Elementwise


@component("mae", examples=[{}, {"reduction": "sum"}])
class Mae(Elementwise):
    """Absolute error, ``|y - t|`` for a target; its derivative at 0 is 0.

    For two classes there is one output with the target 1 for the positive class, for more one output a class.
    Shapes: y, t (*K, B, O) -> losses (*K, B)
    Source: PyTorch's ``L1Loss``.
    """

    tasks = frozenset({"regression", "binary", "multiclass", "multilabel"})

    def forward(self, s: Any) -> None:
        np.subtract(s.y, s.t, s.dy)
        np.abs(s.dy, s.terms)
        self.combine(s)

    def backward(self, s: Any) -> None:
        np.sign(s.dy, s.terms)  # in place, NumPy branches for every element
        np.multiply(s.terms, s.slope, s.dy)
