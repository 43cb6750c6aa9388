"""Uniformly distributed values."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nnctl.component import component, option
from nnctl.initializers import Initializer


@component("uniform", examples=[{}, {"limit": 0.5}])
class Uniform(Initializer):
    """Uniform over ``-limit .. limit``, whatever the parameter's shape."""

    limit: float = option(default=0.05, ge=0, stack=True, help="Largest absolute value.")

    def draw(
        self, shape: tuple[int, ...], rng: np.random.Generator, *, fan_in: int, fan_out: int
    ) -> NDArray[np.float64]:
        return rng.uniform(-self.limit, self.limit, shape)
