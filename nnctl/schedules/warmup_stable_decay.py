"""A learning rate that rises, stays, and falls."""

from __future__ import annotations

from nnctl.component import component, option
from nnctl.schedules import Schedule, State


@component(
    "warmup_stable_decay", examples=[{}, {"warmup": 0.0, "decay": 0.5, "end": 0.1}, {"warmup": 1, "per": "epoch"}]
)
class WarmupStableDecay(Schedule):
    """A trapezoid: after the warmup 1, and over the last ``decay n`` units a straight line towards ``end``.

    It would be ``end`` in the unit after the last. n counts all units, those of the warmup included.
    Source: Hu et al. 2024 (MiniCPM), with the linear decay of Hägele et al. 2024.
    """

    warmup: float = option(
        default=0.1,
        ge=0,
        help="Length of a linear start from zero: below 1 a fraction 0-1 of all steps, from 1 on a number of epochs.",
    )
    decay: float = option(
        default=0.1, ge=0, le=1, help="Length of the fall at the end, as a fraction 0-1 of all units."
    )
    end: float = option(default=0.0, ge=0, le=1, stack=True, help="Factor that the line falls to.")

    def proper(self, t: int, n: int, warm: float, state: State) -> float:
        length = min(round(self.decay * (n + warm)), n)
        return 1.0 if t < n - length else 1 - (1 - self.end) * (t - (n - length)) / max(length, 1)

    def curve(self, t: int, n: int) -> float:
        return self.proper(t, n, 0.0, {})
