"""A learning rate that falls in steps."""

from __future__ import annotations

from typing import Literal

from nnctl.component import component, option
from nnctl.schedules import PER_HELP, Schedule


@component("step", examples=[{"every": 10}, {"every": 100, "gamma": 0.5, "per": "step"}])
class Step(Schedule):
    """Decay at equal distances, ``gamma^floor(t / every)``: 1 until t = every - 1.

    Source: PyTorch's ``StepLR``.
    """

    every: int = option(ge=1, help="Units (epochs, or steps under `per: step`) between two decays.")
    gamma: float = option(default=0.1, gt=0, le=1, stack=True, help="Factor of each decay.")
    per: Literal["step", "epoch"] = option(default="epoch", help=PER_HELP)

    def curve(self, t: int, n: int) -> float:
        return self.gamma ** (t // self.every)
