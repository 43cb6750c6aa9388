"""A learning rate that falls as one over the root of the time."""

from __future__ import annotations

from nnctl.component import component
from nnctl.schedules import Schedule, State


@component("inverse_sqrt", examples=[{}, {"warmup": 0.1}, {"warmup": 2, "per": "epoch"}])
class InverseSqrt(Schedule):
    """Inverse square root, ``1 / sqrt(1 + t / W)`` after a warmup of W units; without one W counts as 1.

    Rising and falling part are those of ``min(s / W, sqrt(W / s))`` at s = W + t.
    Source: Vaswani et al. 2017, its constant in ``optimizer.lr``; Hugging Face's ``get_inverse_sqrt_schedule``.
    """

    def proper(self, t: int, n: int, warm: float, state: State) -> float:
        return float((1 + t / max(1.0, warm)) ** -0.5)

    def curve(self, t: int, n: int) -> float:
        return self.proper(t, n, 0.0, {})
