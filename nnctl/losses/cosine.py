"""The angle between prediction and target."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nnctl.component import component
from nnctl.errors import Problem, SpecError
from nnctl.losses import ROWS, Loss
from nnctl.losses.targets import DIRECTION


@component("cosine")
class Cosine(Loss):
    """Cosine distance of a row's outputs from its targets, ``1 - y.t / (|y| |t|)``; 1 where y is 0.

    It learns a direction: the length of y does not matter. The gradient at ``y = 0``, which has none, is ``-t / |t|``.
    Shapes: y, t (*K, B, O) -> losses (*K, B)
    Source: PyTorch's ``cosine_similarity``, which keeps the lengths above 1e-8 instead; Keras' ``CosineSimilarity`` is
    this minus 1.
    """

    tasks = frozenset({"regression"})
    asked = DIRECTION
    keeps_zero = True

    def width(self, *, task: str, classes: int, targets: int) -> int:
        if targets < 2:
            message = "cosine learns a direction: name the columns of its parts as a list"
            raise SpecError(Problem(message, "data.target"))
        return targets

    def scratch(self, width: int) -> Mapping[str, tuple[int, ...]]:
        return {"unit_y": (ROWS, width), "unit_t": (ROWS, width), "length": (ROWS, 1), "row": (ROWS, 1)}

    def bind(self, s: Any) -> None:
        s.cosines = s.row[..., 0]

    def forward(self, s: Any) -> None:
        self._normalise(s.t, s.unit_t, s)
        self._normalise(s.y, s.unit_y, s)
        np.multiply(s.unit_y, s.unit_t, s.dy)
        np.add.reduce(s.dy, -1, None, s.row, keepdims=True)
        np.subtract(s.one, s.cosines, s.losses)

    def backward(self, s: Any) -> None:
        """``dy = (cos y / |y| - t / |t|) / |y|``."""
        np.multiply(s.unit_y, s.row, s.dy)
        np.subtract(s.dy, s.unit_t, s.dy)
        np.divide(s.dy, s.length, s.dy)
        np.multiply(s.dy, s.per_row, s.dy)

    def _normalise(self, x: Any, unit: Any, s: Any) -> None:
        """Write ``x / |x|`` to ``unit`` and ``|x|``, or 1 for 0, to ``s.length``."""
        np.multiply(x, x, unit)
        np.add.reduce(unit, -1, None, s.length, keepdims=True)
        np.sqrt(s.length, s.length)
        np.equal(s.length, s.zero, s.row, casting="unsafe")
        np.add(s.length, s.row, s.length)
        np.divide(x, s.length, unit)
