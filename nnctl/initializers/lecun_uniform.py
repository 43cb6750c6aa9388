"""LeCun's uniform initializer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nnctl.component import component
from nnctl.initializers import Initializer, draw_uniform


@component("lecun_uniform")
class LecunUniform(Initializer):
    """Uniform over ``-limit .. limit``, ``limit = sqrt(3 / fan_in)``, for selu.

    Source: LeCun et al. 1998, section 4.6; Keras' ``lecun_uniform``.
    """

    def draw(
        self, shape: tuple[int, ...], rng: np.random.Generator, *, fan_in: int, fan_out: int
    ) -> NDArray[np.float64]:
        return draw_uniform(shape, rng, variance=1 / fan_in)
