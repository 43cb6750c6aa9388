"""The settings that a sweep has tried, ranked by the mean of its metric over their seeds."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nnctl.sweeps.trial import SEED

if TYPE_CHECKING:
    from nnctl.sweeps.result import Sweep, Tried


@dataclass(frozen=True, slots=True)
class Setting:
    """Trials that differ in their seed alone."""

    params: Mapping[str, Any]  # without the seed
    trials: tuple[Tried, ...]
    values: Mapping[Any, float]  # of the metric by seed, the finite ones

    @property
    def mean(self) -> float:
        """The mean of the metric over the seeds that have a value; nan of none."""
        return statistics.fmean(self.values.values()) if self.values else math.nan

    @property
    def std(self) -> float:
        """The standard deviation (n - 1) over the seeds; nan of fewer than two."""
        return statistics.stdev(self.values.values()) if len(self.values) > 1 else math.nan

    @property
    def whole(self) -> bool:
        """Whether every trial has a value."""
        return bool(self.values) and all(trial.params.get(SEED) in self.values for trial in self.trials)


def settings_of(sweep: Sweep) -> list[Setting]:
    """The settings, the best mean first, the earliest of equals.

    A setting that lacks the value of a seed (it diverged, failed or has not ended) comes behind those that are whole,
    since what is missing may well be the worst; one without any value comes last.
    """
    groups: dict[str, list[Tried]] = {}
    for trial in sorted(sweep.trials, key=lambda each: each.number):
        groups.setdefault(identity(without_seed(trial.params)), []).append(trial)
    sign = 1.0 if sweep.goal == "minimize" else -1.0
    found = [_setting(group, sweep.metric) for group in groups.values()]
    return sorted(found, key=lambda each: (not each.whole, not each.values, sign * each.mean if each.values else 0.0))


def without_seed(params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a trial that make its setting."""
    return {key: value for key, value in params.items() if key != SEED}


def identity(value: Any) -> str:
    """Values as text, equal where they are the same: 1, 1.0, true and "1" are four."""
    return json.dumps(value, sort_keys=True, default=str)


def _setting(trials: list[Tried], metric: str) -> Setting:
    values: dict[Any, float] = {}
    for trial in trials:
        value = trial.value(metric)
        if math.isfinite(value):
            values.setdefault(trial.params.get(SEED), value)  # the same seed once more is the same run once more
    return Setting(without_seed(trials[0].params), tuple(trials), values)
