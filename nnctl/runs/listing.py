"""What `nnctl runs ls` and `show` say about runs: they only read, whatever state the runs are in."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from nnctl.errors import Place, Problem, RunError
from nnctl.runs import atomic
from nnctl.runs.find import all_runs
from nnctl.runs.places import from_here
from nnctl.runs.run_dir import RunDir

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
    overrides: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, float | None] = field(default_factory=dict)
    damaged: str | None = None  # what is wrong with it


FIELDS = tuple(each.name for each in fields(Summary) if each.name not in ("overrides", "metrics"))
NUMBERS = ("seconds", "epochs", "best_epoch", "parameters", "seed")
_TEXTS = ("status", "reason", "started", "finished")
_SETTINGS = ("name", "status", "seed", "parameters", "epochs")


def ls(runs_dir: Path) -> list[Summary]:
    """The runs in a folder, the newest first, the damaged ones among them.

    Raises: SpecError if the folder cannot be read; one that is not there has no runs.
    """
    return sorted((describe(run) for run in all_runs(runs_dir) if is_begun(run)), key=age, reverse=True)


def is_begun(run: RunDir) -> bool:
    """Whether a folder is a run, whole or damaged.

    One without run.json, which a start writes last, is being made just now, or was left by a crash in that moment:
    neither a run nor an error, unless there is what comes after.
    """
    return run.is_run() or any(map(os.path.lexists, (run.best, run.metrics_json, run.folds_json)))


def describe(run: RunDir) -> Summary:
    """What is known about a run; a damaged one is described as damaged."""
    try:
        return read(run)
    except RunError as error:
        problem = error.problems[0]
        what = f"{Path(str(problem.place)).name} {problem.message}"
        name, run_id = run.name_and_id()
        return Summary(run=from_here(run.path), id=run_id, name=name, status="damaged", damaged=what)


def read(run: RunDir) -> Summary:
    """What is known about a run. Raises: RunError if it is damaged."""
    name, run_id = run.name_and_id()
    return Summary(run=from_here(run.path), id=run_id, name=name, **_about(run), metrics=_metrics(run))


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
    read = run.read_run_json()
    # It may have ended after we read that it is running, and before we saw the lock: then run.json is new by now.
    if read.get("status") == "running" and not run.is_locked():
        read = run.read_run_json()
        if read.get("status") == "running":
            read |= {"status": "interrupted", "reason": "its process ended without a word (killed, or a power cut)"}
    place = Place(str(run.run_json))
    for name in _TEXTS:
        if not isinstance(read.get(name), str | None) or (name == "status" and not read.get(name)):
            raise RunError(Problem(f"is damaged: `{name}` is not a text", place=place))
    for name in NUMBERS:
        if read.get(name) is not None and not is_number(read[name]):
            raise RunError(Problem(f"is damaged: `{name}` is not a number", place=place))
    overrides = read.get("overrides") or {}
    if not isinstance(overrides, dict):
        raise RunError(Problem("is damaged: `overrides` is not an object", place=place))
    return {**{name: read.get(name) for name in (*_TEXTS, *NUMBERS)}, "overrides": overrides}


def _metrics(run: RunDir) -> dict[str, float | None]:
    """The metrics of the best weights, of a cross-validation the means; none, as long as there is no such file.

    Raises: RunError if the file is damaged.
    """
    path, key = (run.folds_json, "mean") if os.path.lexists(run.folds_json) else (run.metrics_json, "metrics")
    if not os.path.lexists(path):
        return {}
    metrics = atomic.read_json(path).get(key)
    if not isinstance(metrics, dict) or not all(each is None or is_number(each) for each in metrics.values()):
        raise RunError(Problem(f"is damaged: `{key}` are not numbers", place=Place(str(path))))
    return metrics


def age(summary: Summary) -> tuple[str, str]:
    """The time a run was started at, as digits, so that times in run.json and in ids can be compared."""
    started = (summary.started or summary.id[:15]).partition("+")[0]
    return re.sub(r"\D", "", started), summary.id


def is_number(obj: Any) -> bool:
    """Whether a value read from JSON is a number."""
    return isinstance(obj, int | float) and not isinstance(obj, bool)
