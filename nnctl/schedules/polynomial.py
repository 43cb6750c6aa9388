"""A learning rate that falls along a power of the time that is left."""

from __future__ import annotations

from nnctl.component import component, option
from nnctl.schedules import Schedule


@component("polynomial", examples=[{}, {"power": 2.0, "end": 0.1}, {"power": 0.5, "per": "epoch"}])
class Polynomial(Schedule):
    """Polynomial decay, ``end + (1 - end) (1 - t / n)^power``: 1 at t = 0, and ``end`` would be at t = n.

    Source: PyTorch's ``PolynomialLR`` with ``total_iters = n``, which knows no ``end``.
    """

    power: float = option(default=1.0, gt=0, stack=True, help="Power of the share of the time that is left.")
    end: float = option(default=0.0, ge=0, le=1, stack=True, help="Factor that the curve falls to.")

    def curve(self, t: int, n: int) -> float:
        return self.end + (1 - self.end) * float((1 - t / n) ** self.power)
