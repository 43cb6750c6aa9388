"""A learning rate that falls at given times."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from nnctl.component import component, option
from nnctl.schedules import PER_HELP, Schedule


@component("multi_step", examples=[{"milestones": [30, 60]}, {"milestones": [5], "gamma": 0.5, "per": "step"}])
class MultiStep(Schedule):
    """Decay at milestones, ``gamma^k`` with k the number of milestones at or before t.

    Source: PyTorch's ``MultiStepLR``.
    """

    milestones: tuple[int, ...] = option(
        ge=1, help="Units (epochs, or steps under `per: step`) that begin with a decay."
    )
    gamma: float = option(default=0.1, gt=0, le=1, stack=True, help="Factor of each decay.")
    per: Literal["step", "epoch"] = option(default="epoch", help=PER_HELP)

    def contradictions(self) -> Iterator[tuple[str, str]]:
        if not self.milestones:
            yield "milestones", "must name at least one unit, got none: without a decay write `constant`"

    def curve(self, t: int, n: int) -> float:
        return self.gamma ** sum(milestone <= t for milestone in self.milestones)
