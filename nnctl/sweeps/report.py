"""What a sweep found out, as it is shown and as JSON."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from nnctl.runs import atomic
from nnctl.sweeps.importance import Importance, importance
from nnctl.sweeps.leaderboard import Setting, settings_of
from nnctl.sweeps.result import Sweep, Tried
from nnctl.sweeps.ties import Ties, tied

SCHEMA = "nnctl.sweep/1"


@dataclass(frozen=True, slots=True)
class Report:
    """The settings ranked, which of them may be the best, and what each parameter matters."""

    settings: list[Setting]
    ties: Ties
    importance: Importance

    @property
    def repeated(self) -> bool:
        """Whether a setting was trained with several seeds."""
        return any(len(each.trials) > 1 for each in self.settings)


def report(sweep: Sweep) -> Report:
    """What the trials of a sweep say."""
    settings = settings_of(sweep)
    return Report(settings, tied(settings, sweep.goal), importance(sweep))


def counts(sweep: Sweep) -> dict[str, int]:
    """The number of trials by status."""
    return dict(Counter(trial.status for trial in sweep.trials))


def sweep_json(sweep: Sweep) -> dict[str, Any]:
    """What `sweep --json` prints; settings, ties and importance are computed from the trials."""
    found = report(sweep)
    best = sweep.best
    about: dict[str, Any] = {name: getattr(sweep, name) for name in ("status", "reason", "seconds")}
    about["metric"] = {"name": sweep.metric, "goal": sweep.goal}
    about["counts"] = counts(sweep)
    about["best"] = best and {"run": best.path, "params": dict(best.params), "metrics": dict(best.metrics)}
    about["trials"] = [_trial(each) for each in sweep.trials]
    about["settings"] = [_setting(place, each, found.ties) for place, each in enumerate(found.settings)]
    about["tied"] = list(found.ties.places) if found.ties.known else None
    about["importance"] = _importance(found.importance)
    about["notes"] = [why for why in (found.ties.why, found.importance.why) if why]
    plain: dict[str, Any] = atomic.finite(about)
    return {"schema": SCHEMA, "sweep": sweep.path, **plain}


def _trial(trial: Tried) -> dict[str, Any]:
    words = {name: getattr(trial, name) for name in ("status", "reason", "epochs", "best_epoch", "seconds")}
    about = {"run": trial.path or None, "number": trial.number, "params": dict(trial.params), **words}
    return {**about, "metrics": dict(trial.metrics)}


def _setting(place: int, setting: Setting, ties: Ties) -> dict[str, Any]:
    about = {"params": dict(setting.params), "mean": setting.mean, "std": setting.std}
    about |= {"seeds": len(setting.values), "tied": place in ties.places if ties.known else None, "p": ties.p[place]}
    return {**about, "runs": [trial.path for trial in setting.trials if trial.path]}


def _importance(found: Importance) -> dict[str, Any] | None:
    if found.why:
        return None
    return {"shares": dict(found.shares), "rest": found.rest, "trials": found.trials}
