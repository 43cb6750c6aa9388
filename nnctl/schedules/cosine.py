"""A learning rate that falls along half a cosine."""

from __future__ import annotations

import math

from nnctl.component import component, option
from nnctl.schedules import Schedule


@component("cosine", examples=[{}, {"end": 0.01, "warmup": 0.05}, {"per": "epoch"}])
class Cosine(Schedule):
    """Half a cosine, ``end + (1 - end) / 2 * (1 + cos(pi t / n))``.

    It is 1 at t = 0 and would be ``end`` at t = n: the last unit, n - 1, is one short of it, so no step is wasted
    at a learning rate of 0.
    Source: Loshchilov and Hutter 2017 without restarts; PyTorch's ``CosineAnnealingLR`` with ``T_max = n``.
    """

    end: float = option(default=0.0, ge=0, le=1, stack=True, help="Factor that the cosine falls to.")

    def curve(self, t: int, n: int) -> float:
        return self.end + (1 - self.end) / 2 * (1 + math.cos(math.pi * t / n))
