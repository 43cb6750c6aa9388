"""What came of a sweep."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nnctl.sweeps.trial import Goal


@dataclass(frozen=True, slots=True)
class Tried:
    """A trial as it ended, or as it stands: a row of trials.csv."""

    number: int
    path: str  # its run folder as seen from the current one
    status: str  # as in run.json; `waiting`: it has not begun
    reason: str
    epochs: int
    best_epoch: int
    seconds: float
    params: Mapping[str, Any]
    metrics: Mapping[str, float]  # those of metrics.json


@dataclass(frozen=True, slots=True)
class Sweep:
    """A sweep as it ended, or as it stands."""

    path: str
    status: str  # running, completed, interrupted, failed
    reason: str
    metric: str
    goal: Goal
    trials: tuple[Tried, ...]
    seconds: float  # on the clock, over all resumptions

    @property
    def best(self) -> Tried | None:
        """The trial with the best metric, the earliest of equals; None where none has a finite one."""
        finite = [trial for trial in self.trials if math.isfinite(trial.metrics.get(self.metric, math.nan))]
        sign = 1.0 if self.goal == "minimize" else -1.0
        return min(finite, key=lambda trial: (sign * trial.metrics[self.metric], trial.number), default=None)
