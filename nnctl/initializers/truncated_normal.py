"""Normally distributed values without the far ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nnctl.component import component, option
from nnctl.initializers import Initializer, draw_truncated


@component("truncated_normal", examples=[{}, {"std": 0.01}])
class TruncatedNormal(Initializer):
    """Normal around 0, values beyond two standard deviations drawn again, whatever the parameter's shape.

    ``std`` is that of the normal before the cut; what is left has 0.8796 times as much.
    Source: Keras' ``TruncatedNormal``, with the same meaning of its ``stddev``. PyTorch's ``trunc_normal_`` cuts at -2
            and 2 whatever its ``std`` is, which for small ones cuts nothing.
    """

    std: float = option(default=0.05, ge=0, stack=True, help="Standard deviation of the normal before the cut.")

    def draw(
        self, shape: tuple[int, ...], rng: np.random.Generator, *, fan_in: int, fan_out: int
    ) -> NDArray[np.float64]:
        return draw_truncated(shape, rng, std=self.std)
