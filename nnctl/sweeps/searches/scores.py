"""What a setting is worth: the mean over its seeds, smaller is better, infinite for the worst."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from nnctl.sweeps.trial import Goal, Outcome, Trial


def score(trials: Iterable[Trial], outcomes: Mapping[int, Outcome], goal: Goal) -> float:
    """The mean of the values of a setting's trials; one that diverged or failed makes it the worst there is."""
    return mean_score([_value(outcomes[trial.number]) for trial in trials], goal)


def mean_score(values: Sequence[float], goal: Goal) -> float:
    """The mean, turned so that smaller is better; infinite if it is not finite."""
    mean = sum(values) / len(values)
    if not math.isfinite(mean):
        return math.inf
    return mean if goal == "minimize" else -mean


def has_ended(outcome: Outcome | None) -> bool:
    """Whether a trial has its result, or has none and never will."""
    return outcome is not None and outcome.status != "waiting"


def _value(outcome: Outcome) -> float:
    return math.nan if outcome.status in ("diverged", "failed") else outcome.value
