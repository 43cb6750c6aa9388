"""Glorot's uniform initializer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nnctl.component import component
from nnctl.initializers import Initializer, draw_uniform


@component("glorot_uniform", aliases=("xavier_uniform",))
class GlorotUniform(Initializer):
    """Uniform over ``-limit .. limit``, ``limit = sqrt(6 / (fan_in + fan_out))``, for tanh-like and linear layers.

    Source: Glorot and Bengio 2010; PyTorch's ``xavier_uniform_``.
    """

    def draw(
        self, shape: tuple[int, ...], rng: np.random.Generator, *, fan_in: int, fan_out: int
    ) -> NDArray[np.float64]:
        return draw_uniform(shape, rng, variance=2 / (fan_in + fan_out))
