"""Which settings are not told apart from the best one by the seeds that were tried."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from nnctl.significance.student import paired_p
from nnctl.sweeps.leaderboard import Setting
from nnctl.sweeps.searches.halving import LEFT
from nnctl.sweeps.trial import Goal

LEVEL = 0.05
FEWEST = 2  # seeds that two settings have in common
WORTH = 5  # seeds to ask for


@dataclass(frozen=True, slots=True)
class Ties:
    """The settings that may be the best, by their places; ``why`` says why nothing can be said, where that is so."""

    places: tuple[int, ...]
    p: tuple[float, ...]  # of each setting, corrected: how likely it falls so far behind by luck; nan: not tested
    seeds: int  # that the best was trained with
    why: str = ""

    @property
    def known(self) -> bool:
        return not self.why


def tied(settings: Sequence[Setting], goal: Goal) -> Ties:
    """The settings that are not clearly worse than the first, which is the best in the mean.

    Each is compared with it on the seeds that both have, by a one-sided paired t test at 5 % over the number of
    comparisons (Bonferroni). As the best in the mean was chosen among all settings, any of the others could have been
    it: with so many comparisons, the setting that is truly the best is missing from the set in at most 1 of 20 sweeps.
    The test takes the differences for normal, and of two or three seeds it can hardly tell anything from luck. A
    setting that shares fewer than two seeds with the best is not tested, and is not in the set. Nor is one that halving
    left after other epochs than the best: it might have caught up, so of halving the set holds the best of those that
    were trained as long, not of all.
    Source: Student 1908; Gupta 1965 for a set that holds the best one.
    """
    nothing = (math.nan,) * len(settings)
    if not settings or not settings[0].values:
        return Ties((), nothing, 0, "no trial has a value of the metric")
    best = settings[0].values
    if len(best) < FEWEST:
        return Ties((), nothing, len(best), f"one seed tells no luck from merit; `--seeds {WORTH}` tries more")
    sign = 1.0 if goal == "minimize" else -1.0
    behind = [[sign * (each.values[seed] - best[seed]) for seed in best if seed in each.values] for each in settings]
    behind = [own if left_at(each) == left_at(settings[0]) else [] for own, each in zip(behind, settings, strict=True)]
    comparisons = max(1, sum(len(each) >= FEWEST for each in behind[1:]))
    p = [1.0, *(min(1.0, paired_p(each) * comparisons) for each in behind[1:])]
    p = [math.nan if len(each) < FEWEST else found for found, each in zip(p, behind, strict=True)]
    places = tuple(place for place, found in enumerate(p) if found >= LEVEL)
    return Ties(places, tuple(p), len(best))


def left_at(setting: Setting) -> int | None:
    """The epoch after which halving left a setting; None if it did not."""
    return max((each.epochs for each in setting.trials if each.reason.startswith(LEFT)), default=None)
