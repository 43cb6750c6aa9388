"""Glorot's normal initializer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nnctl.component import component
from nnctl.initializers import Initializer, draw_normal


@component("glorot_normal", aliases=("xavier_normal",))
class GlorotNormal(Initializer):
    """Normal around 0 with ``std = sqrt(2 / (fan_in + fan_out))``, for tanh-like and linear layers; not truncated.

    Source: Glorot and Bengio 2010; PyTorch's ``xavier_normal_``. Keras cuts its normal off at two standard deviations.
    """

    def draw(
        self, shape: tuple[int, ...], rng: np.random.Generator, *, fan_in: int, fan_out: int
    ) -> NDArray[np.float64]:
        return draw_normal(shape, rng, variance=2 / (fan_in + fan_out))
