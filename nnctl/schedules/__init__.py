"""Schedules: the factor on the learning rate, a pure function of the step and the number of steps."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Literal, Self

from nnctl.component import Component, option, section

# The types differ only in the default of `per`.
PER_HELP = "When the factor changes, and the unit in which the schedule counts: step or epoch."


State = Mapping[str, Any]
STATELESS: State = MappingProxyType({})


@section
class Schedule(Component):
    """The factor on the learning rate in each step of a run; 1 leaves ``optimizer.lr`` as it is."""

    kind = "schedules"
    rises: ClassVar[bool] = False  # whether the schedule proper starts below 1, and climbs to it
    warmup: float = option(
        default=0.0,
        ge=0,
        help="Length of a linear start from zero: below 1 a fraction 0-1 of all steps, from 1 on a number of epochs.",
    )
    per: Literal["step", "epoch"] = option(default="step", help=PER_HELP)

    def at(self, step: int, total: int, epoch_steps: int, state: State = STATELESS) -> float:
        """The factor in a step, counted from 0, of a run of ``total`` steps, ``epoch_steps`` in each epoch.

        It is ``(step + 1) / W`` in a warmup of W steps: the last of them has factor 1, the schedule proper starts
        after it, at its unit 0, and runs over what remains. ``state`` is that of a schedule that watches a value.
        """
        warm = self.warmup_steps(total, epoch_steps) if self.warmup else 0
        if step < warm:
            return (step + 1) / warm
        unit = epoch_steps if self.per == "epoch" else 1
        return self.proper((step - warm) // unit, max(1, math.ceil((total - warm) / unit)), warm / unit, state)

    @property
    def flat(self) -> bool:
        """Whether the factor is 1 in every step."""
        return False

    def warmup_steps(self, total: int, epoch_steps: int) -> int:
        """The number W of steps of the warmup, at most all."""
        return min(total, round(self.warmup * (total if self.warmup < 1 else epoch_steps)))

    def proper(self, t: int, n: int, warm: float, state: State) -> float:
        """The schedule after a warmup of ``warm`` units: the curve, for all that need to know no more."""
        return self.curve(t, n)

    def curve(self, t: int, n: int) -> float:
        """The schedule proper: the factor in unit t, counted from 0, of n >= 1 units (steps or epochs)."""
        raise NotImplementedError

    def units(self, step: int, total: int, epoch_steps: int) -> int:
        """The units that have ended after the warmup when so many steps are done."""
        past = step - self.warmup_steps(total, epoch_steps)
        return max(0, past // (epoch_steps if self.per == "epoch" else 1))

    @property
    def watches(self) -> str | None:
        """The value of an evaluation that decides about the factor; None: the factor is a function of the step."""
        return None

    def watching(self, usual: str) -> Self:
        """This schedule, watching the usual value if it watches one that it does not name."""
        return self

    def start(self) -> dict[str, Any]:
        """The state before the first evaluation, for JSON: it goes into every checkpoint."""
        return {}

    def observe(self, state: dict[str, Any], *, unit: int, value: float, better: Literal["lower", "higher"]) -> None:
        """Take the watched value into the state, at the end of so many units (steps or epochs) after the warmup."""
