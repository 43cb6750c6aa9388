"""What came of a sweep."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nnctl.sweeps.leaderboard import settings_of
from nnctl.sweeps.trial import Goal

CAME_TO_NOTHING = ("diverged", "failed")  # the worst there is, whatever value they had


@dataclass(frozen=True, slots=True)
class Tried:
    """A trial as it ended, or as it stands: a row of trials.csv."""

    number: int
    path: str  # its run folder as seen from the current one; empty as long as it has none
    status: str  # as in run.json; `waiting`: it has not begun
    reason: str
    epochs: int
    best_epoch: int
    seconds: float
    params: Mapping[str, Any]
    metrics: Mapping[str, float]  # those of metrics.json

    def value(self, metric: str) -> float:
        """A metric of it; nan where it has none, or has come to nothing: the last good value is no result."""
        value = None if self.status in CAME_TO_NOTHING else self.metrics.get(metric)
        return math.nan if value is None else value


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
        """The best trial of the setting that is the best in the mean; None where no trial has a finite metric.

        So it comes from the first row of the leaderboard, not from a setting that was lucky with one seed.
        """
        first = next(iter(settings_of(self)), None)
        finite = [trial for trial in first.trials if math.isfinite(trial.value(self.metric))] if first else []
        sign = 1.0 if self.goal == "minimize" else -1.0
        return min(finite, key=lambda trial: (sign * trial.value(self.metric), trial.number), default=None)
