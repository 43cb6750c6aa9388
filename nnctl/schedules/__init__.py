"""Schedules: the factor on the learning rate, a pure function of the step and the number of steps."""

from __future__ import annotations

import math
from typing import Literal

from nnctl.component import Component, option, section

# The types differ only in the default of `per`.
PER_HELP = "When the factor changes, and the unit in which the schedule counts: step or epoch."


@section
class Schedule(Component):
    """The factor on the learning rate in each step of a run; 1 leaves ``optimizer.lr`` as it is."""

    kind = "schedules"
    warmup: float = option(
        default=0.0,
        ge=0,
        help="Length of a linear start from zero: below 1 a fraction 0-1 of all steps, from 1 on a number of epochs.",
    )
    per: Literal["step", "epoch"] = option(default="step", help=PER_HELP)

    def factor(self, step: int, total: int, epoch_steps: int) -> float:
        """The factor in a step, counted from 0, of a run of ``total`` steps, ``epoch_steps`` in each epoch.

        It is ``(step + 1) / W`` in a warmup of W steps: the last of them has factor 1, the schedule proper starts
        after it, at its unit 0, and runs over what remains.
        """
        warm = self.warmup_steps(total, epoch_steps)
        if step < warm:
            return (step + 1) / warm
        unit = epoch_steps if self.per == "epoch" else 1
        return self.curve((step - warm) // unit, max(1, math.ceil((total - warm) / unit)))

    def warmup_steps(self, total: int, epoch_steps: int) -> int:
        """The number W of steps of the warmup, at most all."""
        return min(total, round(self.warmup * (total if self.warmup < 1 else epoch_steps)))

    def curve(self, t: int, n: int) -> float:
        """The schedule proper: the factor in unit t, counted from 0, of n >= 1 units (steps or epochs)."""
        raise NotImplementedError
