"""What losses share that are computed output by output, and then combined for the row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from nnctl.component import option, section
from nnctl.losses import ROWS, Array, Loss

STEEP = 40.0  # exp(40) = 2e17: from here on the exponential goes on as its tangent


@section
class Elementwise(Loss):
    """A loss of a row that is the mean, or the sum, of the losses of its targets.

    ``forward`` writes those of the targets to ``s.terms`` (*K, B, T) and calls ``combine``; ``backward`` multiplies
    their derivatives by ``s.slope``.
    """

    reduction: Literal["mean", "sum"] = option(default="mean", help="How the outputs of a row are combined.")

    tasks = frozenset({"regression"})

    def scratch(self, width: int) -> Mapping[str, tuple[int, ...]]:
        return {"terms": (ROWS, width)}

    def bind(self, s: Any) -> None:
        """Constants: ``s.factor`` of the losses, ``s.slope`` of the derivatives."""
        factor = 1 / s.terms.shape[-1] if self.reduction == "mean" else 1.0
        s.factor, s.slope = s.constant(factor), s.constant(factor / s.rows)
        s.ones, s.column = np.ones((s.terms.shape[-1], 1), s.dtype), s.losses[..., None]

    def combine(self, s: Any) -> None:
        """Write the losses of the rows; a product with ones sums over the targets faster than a reduction."""
        s.product(s.terms, s.ones, s.column)
        np.multiply(s.losses, s.factor, s.losses)


def stretched_exp(x: Array, limit: Array, slope: Array, value: Array) -> None:
    """Write ``exp(x)`` to ``value`` and its derivative to ``slope``; beyond ``limit`` it is its tangent there.

    So a score that is far off costs much, but no infinite number. ``value`` may be ``x``.
    """
    np.minimum(x, limit, out=slope)
    np.subtract(x, slope, value)
    np.exp(slope, slope)
    np.multiply(value, slope, value)
    np.add(value, slope, value)
