"""LeCun's normal initializer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nnctl.component import component
from nnctl.initializers import Initializer, draw_normal


@component("lecun_normal")
class LecunNormal(Initializer):
    """Normal around 0 with ``std = sqrt(1 / fan_in)``, for selu; not truncated.

    Source: LeCun et al. 1998, section 4.6; Klambauer et al. 2017 for selu. Keras cuts its normal off at two standard
            deviations.
    """

    def draw(
        self, shape: tuple[int, ...], rng: np.random.Generator, *, fan_in: int, fan_out: int
    ) -> NDArray[np.float64]:
        return draw_normal(shape, rng, variance=1 / fan_in)
