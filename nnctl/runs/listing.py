"""What `nnctl runs ls` and `show` say about runs: they only read, whatever state the runs are in."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeGuard

from nnctl.errors import Place, Problem, RunError
from nnctl.runs import atomic
from nnctl.runs.folders import all_runs
from nnctl.runs.places import from_here
from nnctl.runs.run_dir import KILLED, TRIALS, RunDir
from nnctl.runs.sweep_dir import SweepDir

SCHEMA = "nnctl.runs/1"


@dataclass(frozen=True, kw_only=True, slots=True)
class Summary:
    """One run, in a line; what is not known is None."""

    run: str  # the folder as seen from the current one
    id: str
    name: str
    status: str  # as in run.json; `interrupted` if its process is gone, `damaged` if it cannot be read
    reason: str | None = None
    started: str | None = None
    finished: str | None = None
    seconds: float | None = None
    epochs: int | None = None
    best_epoch: int | None = None
    parameters: int | None = None
    seed: int | None = None
    trials: int | None = None  # of a sweep
    sweep: str | None = None  # of a trial: the id of its sweep
    overrides: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, float | None] = field(default_factory=dict)
    damaged: str | None = None  # what is wrong with it


FIELDS = tuple(each.name for each in fields(Summary) if each.name not in ("overrides", "metrics"))
_OF_RUNS = ("seconds", "epochs", "best_epoch", "parameters", "seed")
NUMBERS = (*_OF_RUNS, "trials")
_TEXTS = ("status", "reason", "started", "finished")
_SETTINGS = ("name", "status", "trials", "seed", "parameters", "epochs")


def ls(runs_dir: Path, *, trials: bool = False) -> list[Summary]:
    """The runs in a folder, the newest first, the damaged ones among them; a sweep is one, or as many as its trials.

    Raises: SpecError if the folder cannot be read; one that is not there has no runs.
    """
    found = (run for run in all_runs(runs_dir) if is_begun(run))
    if trials:
        found = (each for run in found for each in trials_of(run) or [run])
    return sorted(map(describe, found), key=age, reverse=True)


def trials_of(run: RunDir) -> list[RunDir]:
    """The trials that a sweep has begun; none of a run."""
    return [each for each in SweepDir(run.path).begun() if is_begun(each)] if run.is_sweep() else []


def is_begun(run: RunDir) -> bool:
    """Whether a folder is a run, whole or damaged.

    One without run.json, which a start writes last, is being made just now, or was left by a crash in that moment:
    neither a run nor an error, unless there is what comes after.
    """
    return run.is_whole() or any(map(os.path.lexists, (run.best, run.metrics_json, run.folds_json)))


def describe(run: RunDir) -> Summary:
    """What is known about a run or a sweep; a damaged one is described as damaged."""
    try:
        return read(run)
    except RunError as error:
        problem = error.problems[0]
        what = f"{Path(str(problem.place)).name} {problem.message}"
        name, run_id = run.name_and_id()
        return Summary(run=from_here(run.path), id=run_id, name=name, status="damaged", damaged=what)


def read(run: RunDir) -> Summary:
    """What is known about a run, or about a sweep, which has the metrics of its best trial.

    Raises: RunError if it is damaged.
    """
    name, run_id = run.name_and_id()
    if not run.is_run() and run.is_sweep():
        return Summary(run=from_here(run.path), id=run_id, name=name, **_about_sweep(SweepDir(run.path)))
    sweep = run_id.partition(f"/{TRIALS}/")[0] if TRIALS in run_id else None
    return Summary(run=from_here(run.path), id=run_id, name=name, sweep=sweep, **_about(run), metrics=_metrics(run))


def value(summary: Summary, name: str) -> Any:
    """What a run has for a field, a metric or an overridden key; None if it has nothing."""
    if name in FIELDS:
        return getattr(summary, name)
    return summary.metrics[name] if name in summary.metrics else summary.overrides.get(name)


def differing_columns(summaries: Sequence[Summary]) -> list[str]:
    """The settings, fields and overridden keys, in which these runs are not all the same; damaged ones do not count."""
    whole = [each for each in summaries if each.damaged is None]
    names = dict.fromkeys((*_SETTINGS, *(key for each in whole for key in each.overrides)))
    return [name for name in names if len({json.dumps(value(each, name), default=str) for each in whole}) >= 2]


def as_json(summaries: Iterable[Summary]) -> dict[str, Any]:
    """What `runs ls --json` prints."""
    names = tuple(each.name for each in fields(Summary))
    runs = [{name: getattr(summary, name) for name in names} for summary in summaries]
    return {"schema": SCHEMA, "runs": atomic.finite(runs)}


def _about(run: RunDir) -> dict[str, Any]:
    """The fields of run.json that a summary has.

    Raises: RunError if they are not what they should be.
    """
    fields = _known(run.read_run_json, run.is_locked, Place(str(run.run_json)), (*_TEXTS, *_OF_RUNS))
    overrides = fields.pop("overrides", None) or {}
    if not isinstance(overrides, dict):
        raise RunError(Problem("is damaged: `overrides` is not an object", place=Place(str(run.run_json))))
    return {**{name: fields.get(name) for name in (*_TEXTS, *_OF_RUNS)}, "overrides": overrides}


def _about_sweep(sweep: SweepDir) -> dict[str, Any]:
    """The fields of sweep.json that a summary has. Raises: RunError if they are not what they should be."""
    place = Place(str(sweep.sweep_json))
    fields = _known(sweep.read_sweep_json, sweep.is_locked, place, (*_TEXTS, "seconds", "total"))
    best = fields.get("best") or {}
    metrics = best.get("metrics", {}) if isinstance(best, dict) else None
    if not _are_metrics(metrics):
        raise RunError(Problem("is damaged: `best` has no metrics", place=place))
    return {
        **{name: fields.get(name) for name in (*_TEXTS, "seconds")},
        "trials": fields.get("total"),
        "metrics": metrics,
    }


def _known(
    read: Callable[[], dict[str, Any]], is_locked: Callable[[], bool], place: Place, names: Sequence[str]
) -> dict[str, Any]:
    """What a description says, with texts and numbers where they belong; a process that is gone is not running."""
    fields = read()
    # It may have ended after we read that it is running, and before we saw the lock: then the file is new by now.
    if fields.get("status") == "running" and not is_locked():
        fields = read()
        if fields.get("status") == "running":
            fields |= {"status": "interrupted", "reason": KILLED}
    for name in names:
        found = fields.get(name)
        if name in _TEXTS and (not isinstance(found, str | None) or (name == "status" and not found)):
            raise RunError(Problem(f"is damaged: `{name}` is not a text", place=place))
        if name not in _TEXTS and found is not None and not is_number(found):
            raise RunError(Problem(f"is damaged: `{name}` is not a number", place=place))
    return fields


def _metrics(run: RunDir) -> dict[str, float | None]:
    """The metrics of the best weights, of a cross-validation the means; none, as long as there is no such file.

    Raises: RunError if the file is damaged.
    """
    path, key = (run.folds_json, "mean") if os.path.lexists(run.folds_json) else (run.metrics_json, "metrics")
    if not os.path.lexists(path):
        return {}
    metrics = atomic.read_json(path).get(key)
    if not _are_metrics(metrics):
        raise RunError(Problem(f"is damaged: `{key}` are not numbers", place=Place(str(path))))
    return metrics


def _are_metrics(metrics: Any) -> TypeGuard[dict[str, float | None]]:
    return isinstance(metrics, dict) and all(each is None or is_number(each) for each in metrics.values())


def age(summary: Summary) -> tuple[str, str]:
    """The time a run was started at, as digits, so that times in run.json and in ids can be compared."""
    started = (summary.started or summary.id[:15]).partition("+")[0]
    return re.sub(r"\D", "", started), summary.id


def is_number(obj: Any) -> bool:
    """Whether a value read from JSON is a number."""
    return isinstance(obj, int | float) and not isinstance(obj, bool)
