"""One value everywhere."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nnctl.component import component, option
from nnctl.initializers import Initializer


@component("constant", examples=[{"value": 0.1}])
class Constant(Initializer):
    """All values the same given number."""

    value: float = option(stack=True, help="The number that every value of the parameter starts at.")

    def draw(
        self, shape: tuple[int, ...], rng: np.random.Generator, *, fan_in: int, fan_out: int
    ) -> NDArray[np.float64]:
        return np.full(shape, self.value, dtype=np.float64)
