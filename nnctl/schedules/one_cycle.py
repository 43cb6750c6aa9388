"""A learning rate that rises once and falls to almost nothing."""

from __future__ import annotations

import math

from nnctl.component import component, option
from nnctl.schedules import Schedule


@component("one_cycle", examples=[{}, {"pct": 0.1, "div": 10.0, "final_div": 100.0}, {"pct": 0.5, "per": "epoch"}])
class OneCycle(Schedule):
    """One cycle: half a cosine from ``1 / div`` up to 1 at t = pct n - 1, another down to ``1 / (div final_div)``.

    The largest learning rate is ``optimizer.lr`` itself; the lowest is reached in the last unit, n - 1. A single unit
    has the factor 1 (PyTorch divides by zero there).
    Source: Smith and Topin 2018; PyTorch's ``OneCycleLR`` with ``max_lr = optimizer.lr``, but momentum stays as it is.
    """

    rises = True
    pct: float = option(
        default=0.3, gt=0, lt=1, stack=True, help="Fraction 0-1 of the units in which the factor rises."
    )
    div: float = option(default=25.0, ge=1, stack=True, help="Largest factor over the one at the start.")
    final_div: float = option(default=1e4, ge=1, stack=True, help="Factor at the start over the one at the end.")

    def curve(self, t: int, n: int) -> float:
        if n == 1:
            return 1.0
        peak, start = self.pct * n - 1, 1 / self.div
        if t < peak:
            return _between(start, 1.0, t / peak)
        return _between(1.0, start / self.final_div, (t - peak) / (n - 1 - peak))


def _between(start: float, end: float, share: float) -> float:
    """The value on half a cosine from start to end."""
    return end + (start - end) / 2 * (1 + math.cos(math.pi * share))
