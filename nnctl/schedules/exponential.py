"""A learning rate that decays by the same factor in every unit."""

from __future__ import annotations

from typing import Literal

from nnctl.component import component, option
from nnctl.schedules import PER_HELP, Schedule


@component("exponential", examples=[{"gamma": 0.95}, {"gamma": 0.999, "per": "step"}])
class Exponential(Schedule):
    """Exponential decay, ``gamma^t``: 1 at t = 0, ``gamma^(n - 1)`` in the last unit.

    Source: PyTorch's ``ExponentialLR``.
    """

    gamma: float = option(gt=0, le=1, stack=True, help="Factor of the decay in each epoch, or step under `per: step`.")
    per: Literal["step", "epoch"] = option(default="epoch", help=PER_HELP)

    def curve(self, t: int, n: int) -> float:
        return self.gamma**t
