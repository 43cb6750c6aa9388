"""A learning rate that falls as one over the time."""

from __future__ import annotations

from typing import Literal

from nnctl.component import component, option
from nnctl.schedules import PER_HELP, Schedule


@component("inverse_time", examples=[{"rate": 0.1}, {"rate": 0.001, "per": "step"}])
class InverseTime(Schedule):
    """Inverse time decay, ``1 / (1 + rate t)``: 1 at t = 0, a half at t = 1 / rate.

    Source: Robbins and Monro 1951; Keras' ``InverseTimeDecay`` with ``decay_steps = 1``. PyTorch has none.
    """

    rate: float = option(gt=0, stack=True, help="Pace of the decay in each epoch, or step under `per: step`.")
    per: Literal["step", "epoch"] = option(default="epoch", help=PER_HELP)

    def curve(self, t: int, n: int) -> float:
        return 1 / (1 + self.rate * t)
