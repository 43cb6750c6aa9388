"""He's normal initializer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nnctl.component import component
from nnctl.initializers import Initializer, draw_normal


@component("he_normal", aliases=("kaiming_normal",))
class HeNormal(Initializer):
    """Normal around 0 with ``std = sqrt(2 / fan_in)``, for relu-like layers; not truncated.

    Source: He et al. 2015; PyTorch's ``kaiming_normal_`` with its default gain. Keras cuts its normal off at two
            standard deviations.
    """

    def draw(
        self, shape: tuple[int, ...], rng: np.random.Generator, *, fan_in: int, fan_out: int
    ) -> NDArray[np.float64]:
        return draw_normal(shape, rng, variance=2 / fan_in)
