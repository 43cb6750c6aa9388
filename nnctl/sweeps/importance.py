"""How much of what sets the trials of a sweep apart each parameter explains."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnctl.sweeps.leaderboard import identity, without_seed
from nnctl.sweeps.result import Sweep, Tried

Array = NDArray[np.float64]

FEWEST = 10  # trials
FEW_LEVELS = 3  # as many as a parabola could tell apart anyway
REPEATED = 4  # trials with each value, in the mean, for an effect of its own ...
MOST_LEVELS = 20  # ... of so many values of a number at most
SPARE = 5  # degrees of freedom that are left to estimate chance by
ENDED = ("completed", "early_stopped", "diverged")


@dataclass(frozen=True, slots=True)
class Importance:
    """Shares of the variance of the trials' ranks; ``why`` says why there are none, where that is so."""

    shares: Mapping[str, float]  # 0 to 1, the greatest first; keys that vary together alone are one, `a + b`
    rest: float  # what parameters do together only, seeds, and chance
    trials: int
    why: str = ""


def importance(sweep: Sweep) -> Importance:
    """The share of each parameter in the variance of the trials' ranks by the metric.

    The trials are ranked, equals sharing their mean rank, those that diverged last: so a loss of 1e6
    counts as bad, not as a million times as bad. The ranks are explained by a sum of effects, one of each parameter: an
    effect for each value where there are at most three, or at most 20 and four trials or more to each; words always so;
    other numbers by a parabola in their rank. All together explain ``1 - MSE / MST``, the adjusted R^2, which is
    about 0 where nothing matters. That is divided by what the sum loses without a parameter, less what one of no
    influence would explain by chance, never below 0: ``SSE_without - SSE - df MSE``. In a balanced grid the shares are
    the main effects of an analysis of variance, corrected as epsilon squared is.

    Limits: what parameters do only together is in the rest, with the seeds; what parameters that were drawn alike
    cannot be told apart by is divided as what they can; a curve that is no parabola is explained in part; a search
    that looks where results are good (tpe, halving) tells less about what is bad. The shares of few trials are
    themselves uncertain, by about 2 / N.
    Source: Conover and Iman 1981 (rank transform); Yates 1934 (what a model loses without a factor); Kelley 1935
    (epsilon squared, the adjusted R^2).
    """
    trials = [trial for trial in sweep.trials if trial.status in ENDED]
    trials = [each for each in trials if each.status == "diverged" or math.isfinite(each.value(sweep.metric))]
    ranks = _ranks([_badness(trial, sweep) for trial in trials])
    effects = _effects(trials)
    if effects is not None and not effects:
        return _unknown(trials, "no parameter was varied")
    if len(trials) < FEWEST:
        return _unknown(trials, f"it takes {FEWEST} trials that have ended")
    if effects is None:
        return _unknown(trials, "a parameter of so many values takes more trials")
    return _explained(effects, ranks, trials)


def _explained(effects: Mapping[str, Array], ranks: Array, trials: Sequence[Tried]) -> Importance:
    error, freedom = _fit(np.hstack(list(effects.values())), ranks)
    if freedom < max(SPARE, (len(trials) - 1 - freedom) / 2):
        return _unknown(trials, f"{len(effects)} parameters of so many values take more trials")
    total = float(np.var(ranks, ddof=1))
    if not total:
        return _unknown(trials, "all trials came out the same")
    lost = {name: _lost(name, effects, ranks, error, freedom) for name in effects}
    explained = max(0.0, 1 - error / freedom / total) if any(lost.values()) else 0.0
    whole_loss = sum(lost.values()) or 1.0
    ordered = sorted(lost, key=lambda name: -lost[name])
    return Importance({name: explained * lost[name] / whole_loss for name in ordered}, 1 - explained, len(trials))


def _lost(name: str, effects: Mapping[str, Array], ranks: Array, error: float, freedom: int) -> float:
    """The sum of squares that is explained no longer without a parameter, beyond chance."""
    others = [each for key, each in effects.items() if key != name]
    left, more = _fit(np.hstack([*others, np.empty((len(ranks), 0))]), ranks)
    return max(0.0, left - error - (more - freedom) * error / freedom)


def _unknown(trials: Sequence[Tried], why: str) -> Importance:
    return Importance({}, math.nan, len(trials), why)


def _badness(trial: Tried, sweep: Sweep) -> float:
    value = trial.value(sweep.metric)
    if not math.isfinite(value):
        return math.inf
    return value if sweep.goal == "minimize" else -value


def _effects(trials: Sequence[Tried]) -> dict[str, Array] | None:
    """What each varied parameter can do to a trial, as columns (N, df); keys that always vary together are one.

    None if one of them has too many values to tell.
    """
    settings = [without_seed(trial.params) for trial in trials]
    columns: dict[bytes, Array] = {}
    names: dict[bytes, list[str]] = {}
    for key in dict.fromkeys(key for each in settings for key in each):
        made = _columns([each.get(key) for each in settings])
        if made is None:
            return None
        if made.shape[1]:
            columns.setdefault(made.tobytes(), made)
            names.setdefault(made.tobytes(), []).append(key)
    return {" + ".join(keys): columns[same] for same, keys in names.items()}


def _columns(values: Sequence[Any]) -> Array | None:
    """A parabola in the ranks of many numbers; else a column for each value but the first; None of too many."""
    levels: dict[str, int] = {}
    codes = [levels.setdefault(identity(each), len(levels)) for each in values]
    numeric = all(isinstance(each, int | float) and not isinstance(each, bool) for each in values)
    if numeric and len(levels) > max(FEW_LEVELS, min(MOST_LEVELS, len(values) / REPEATED)):
        ranks = _ranks(list(map(float, values)))
        ranks = (ranks - ranks.mean()) / ranks.std()
        return np.stack([ranks, ranks**2], axis=1)
    if len(levels) > len(values) / 2:
        return None
    return np.eye(len(levels))[codes][:, 1:]


def _ranks(values: Sequence[float]) -> Array:
    """Ranks from 1, equals sharing their mean rank."""
    _, places, counts = np.unique(np.array(values), return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: Array = (last - (counts - 1) / 2)[places]
    return ranks


def _fit(columns: Array, y: Array) -> tuple[float, int]:
    """The sum of squares that the columns and a constant leave, and the degrees of freedom that they leave."""
    design = np.hstack([np.ones((len(y), 1)), columns])
    solution, _, rank, _ = np.linalg.lstsq(design, y, rcond=None)
    return float(np.sum((y - design @ solution) ** 2)), len(y) - int(rank)
