"""A learning rate that goes up and down four times, each time twice as slowly."""

from __future__ import annotations

import math

from nnctl.component import component
from nnctl.schedules import Schedule


@component("coslog4", examples=[{}, {"per": "epoch"}])
class CosLog4(Schedule):
    """Four cosines in logarithmic time, ``(1 - cos(2 pi log2(1 + 15 t / n))) / 2``.

    It is 0 at t = 0, and would be 0 again at t = n.
    Source: Holzmüller, Grinsztajn and Steinwart 2024 (RealMLP), equation of ``coslog_k`` with k = 4.
    """

    rises = True

    def curve(self, t: int, n: int) -> float:
        return (1 - math.cos(2 * math.pi * math.log2(1 + 15 * t / n))) / 2
