"""A learning rate that falls in a straight line."""

from __future__ import annotations

from nnctl.component import component, option
from nnctl.schedules import Schedule


@component("linear", examples=[{}, {"end": 0.1, "warmup": 0.05}])
class Linear(Schedule):
    """A straight line, ``1 - (1 - end) t / n``: 1 at t = 0, and ``end`` would be at t = n.

    Source: PyTorch's ``LinearLR`` with ``start_factor = 1`` and ``total_iters = n`` (its own default rises from 1/3).
    """

    end: float = option(default=0.0, ge=0, le=1, stack=True, help="Factor that the line falls to.")

    def curve(self, t: int, n: int) -> float:
        return 1 - (1 - self.end) * t / n
