"""Normally distributed values."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nnctl.component import component, option
from nnctl.initializers import Initializer


@component("normal", examples=[{}, {"std": 0.01}])
class Normal(Initializer):
    """Normal around 0 with a given standard deviation, whatever the parameter's shape."""

    std: float = option(default=0.05, ge=0, stack=True, help="Standard deviation of the values.")

    def draw(
        self, shape: tuple[int, ...], rng: np.random.Generator, *, fan_in: int, fan_out: int
    ) -> NDArray[np.float64]:
        return rng.normal(0.0, self.std, shape)
