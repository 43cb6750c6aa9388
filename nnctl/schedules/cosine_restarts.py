"""A learning rate that falls along half a cosine again and again."""

from __future__ import annotations

import math

from nnctl.component import component, option
from nnctl.schedules import Schedule


@component(
    "cosine_restarts", examples=[{"period": 100}, {"period": 4, "mult": 2, "end": 0.1}, {"period": 3, "per": "epoch"}]
)
class CosineRestarts(Schedule):
    """Half a cosine in each period, ``end + (1 - end) / 2 * (1 + cos(pi u / T))``, u units after its start.

    The first period is T = ``period`` units long, each further one ``mult`` times the one before it.
    Source: Loshchilov and Hutter 2017 (SGDR); PyTorch's ``CosineAnnealingWarmRestarts``.
    """

    period: int = option(ge=1, help="Length of the first period in units (steps, or epochs under `per: epoch`).")
    mult: int = option(default=1, ge=1, help="Factor from the length of one period to the next.")
    end: float = option(default=0.0, ge=0, le=1, stack=True, help="Factor that each period falls to.")

    def curve(self, t: int, n: int) -> float:
        length = self.period
        if self.mult == 1:
            t %= length
        while t >= length:
            t, length = t - length, length * self.mult
        return self.end + (1 - self.end) / 2 * (1 + math.cos(math.pi * t / length))
