"""He's uniform initializer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nnctl.component import component
from nnctl.initializers import Initializer, draw_uniform


@component("he_uniform", aliases=("kaiming_uniform",))
class HeUniform(Initializer):
    """Uniform over ``-limit .. limit``, ``limit = sqrt(6 / fan_in)``, for relu-like layers.

    Source: He et al. 2015; PyTorch's ``kaiming_uniform_`` with its default gain.
    """

    def draw(
        self, shape: tuple[int, ...], rng: np.random.Generator, *, fan_in: int, fan_out: int
    ) -> NDArray[np.float64]:
        return draw_uniform(shape, rng, variance=2 / fan_in)
