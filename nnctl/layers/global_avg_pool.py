"""Average-pooling over all places."""

from __future__ import annotations

import numpy as np

from nnctl.component import component
from nnctl.layers import Slot
from nnctl.layers.global_pooling import GlobalPooling


@component("global_avg_pool")
class GlobalAvgPool(GlobalPooling):
    """Mean of every channel over all places, ``y = mean_p x[p]``.

    Shapes: x (*K, B, ..., C) -> y (*K, B, C)
    Source: Lin et al. 2014.
    """

    def bind(self, s: Slot) -> None:
        super().bind(s)
        s.share = s.constant(1 / s.x_places.shape[-2])

    def forward(self, s: Slot) -> None:
        np.add.reduce(s.x_places, -2, None, out=s.y)
        np.multiply(s.y, s.share, s.y)

    def backward(self, s: Slot) -> None:
        np.multiply(s.dy_places, s.share, s.dx_places)
