"""What `nnctl runs ls` and `show` say about runs: they only read, whatever state the runs are in."""

from __future__ import annotations

import difflib
import json
import operator
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from nnctl.errors import Place, Problem, RunError, SpecError
from nnctl.runs import atomic
from nnctl.runs.find import all_runs
from nnctl.runs.run_dir import RunDir, shown

SCHEMA = "nnctl.runs/1"
STATUSES = ("running", "completed", "early_stopped", "interrupted", "diverged", "failed", "damaged")
PARTS = ("train_", "val_", "test_")
MAX_LISTED = 40

_SIGNS: Mapping[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "!=": operator.ne,
}
_REST = re.compile(r"\s*(<=|>=|!=|==?|<|>)\s*(.*\S)\s*", re.DOTALL)
_CONDITION = re.compile(r"\s*(.*?\S)" + _REST.pattern, re.DOTALL)


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


_FIELDS = tuple(each.name for each in fields(Summary) if each.name not in ("overrides", "metrics"))
_TEXTS = ("status", "reason", "started", "finished")
_NUMBERS = ("seconds", "epochs", "best_epoch", "parameters", "seed")
_SETTINGS = ("name", "status", "seed", "parameters", "epochs")


def ls(runs_dir: Path) -> list[Summary]:
    """The runs in a folder, the newest first, the damaged ones among them.

    Raises: SpecError if the folder cannot be read; one that is not there has no runs.
    """
    # A folder without run.json is being made just now, or was left by a crash in that moment; unless there is more.
    begun = (run for run in all_runs(runs_dir) if run.is_run() or run.metrics_csv.exists() or run.last.exists())
    return sorted((describe(run) for run in begun), key=_age, reverse=True)


def describe(run: RunDir) -> Summary:
    """What is known about a run; a damaged one is described as damaged."""
    who: dict[str, Any] = {"run": os.path.relpath(run.path), "id": run.id, "name": run.name}
    try:
        about = _about(run)
        metrics = _metrics(run)
    except RunError as error:
        problem = error.problems[0]
        return Summary(**who, status="damaged", damaged=f"{Path(str(problem.place)).name} {problem.message}")
    return Summary(**who, **about, metrics=metrics)


def value(summary: Summary, name: str) -> Any:
    """What a run has for a field, a metric or an overridden key; None if it has nothing."""
    if name in _FIELDS:
        return getattr(summary, name)
    return summary.metrics[name] if name in summary.metrics else summary.overrides.get(name)


def select(
    summaries: Sequence[Summary], where: Sequence[str] = (), sort: str | None = None, limit: int | None = None
) -> list[Summary]:
    """The runs for which every condition (`val_loss<0.1`, `status=completed`, `optimizer.lr=0.1`) holds.

    They are sorted by a field, a metric or an overridden key (`val_loss`; `-val_accuracy`: the highest first), those
    that have none last; then cut to the first ``limit``.
    Raises: SpecError if a condition is not one, or names what no run has.
    """
    names = _names(summaries)
    conditions = [_condition(text, summaries, names) for text in where]
    chosen = [each for each in summaries if all(condition.holds(each) for condition in conditions)]
    if sort is not None:
        name = sort.removeprefix("-")
        _check_name("--sort", name, summaries, names)
        having = [each for each in chosen if value(each, name) is not None]
        having.sort(key=lambda each: _rank(value(each, name)), reverse=sort.startswith("-"))
        chosen = having + [each for each in chosen if value(each, name) is None]
    if limit is not None and limit < 0:
        raise SpecError(Problem(f"must be >= 0, got {limit}", key="--limit"))
    return chosen[:limit]


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


@dataclass(frozen=True, slots=True)
class _Condition:
    name: str
    sign: str
    text: str  # the value as it is written, without quotes
    wanted: Any  # the value that it means

    def holds(self, summary: Summary) -> bool:
        actual = value(summary, self.name)
        # A text is compared as it is written: a run may have the name `7`.
        wanted = self.text if isinstance(actual, str) else self.wanted
        if self.sign in ("=", "!="):
            return bool(_SIGNS[self.sign](actual, wanted))
        comparable = isinstance(actual, str) or (_is_number(actual) and _is_number(wanted))
        return comparable and bool(_SIGNS[self.sign](actual, wanted))


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
    for name in _NUMBERS:
        if read.get(name) is not None and not _is_number(read[name]):
            raise RunError(Problem(f"is damaged: `{name}` is not a number", place=place))
    overrides = read.get("overrides") or {}
    if not isinstance(overrides, dict):
        raise RunError(Problem("is damaged: `overrides` is not an object", place=place))
    return {**{name: read.get(name) for name in (*_TEXTS, *_NUMBERS)}, "overrides": overrides}


def _metrics(run: RunDir) -> dict[str, float | None]:
    """The metrics of the best weights, of a cross-validation the means; none, as long as there is no such file.

    Raises: RunError if the file is damaged.
    """
    path, key = (run.folds_json, "mean") if os.path.lexists(run.folds_json) else (run.metrics_json, "metrics")
    if not os.path.lexists(path):
        return {}
    metrics = atomic.read_json(path).get(key)
    if not isinstance(metrics, dict) or not all(each is None or _is_number(each) for each in metrics.values()):
        raise RunError(Problem(f"is damaged: `{key}` are not numbers", place=Place(str(path))))
    return metrics


def _age(summary: Summary) -> tuple[str, str]:
    """The time a run was started at, as digits, so that times in run.json and in ids can be compared."""
    started = (summary.started or summary.id[:15]).partition("+")[0]
    return re.sub(r"\D", "", started), summary.id


def _condition(text: str, summaries: Sequence[Summary], names: Sequence[str]) -> _Condition:
    parts = _CONDITION.fullmatch(text)
    if parts is None:
        expected = f"a name, one of {' '.join(_SIGNS)}, and a value, such as `val_loss<0.1`"
        raise SpecError(Problem(f"expected {expected}, got {shown(text)}", key="--where"))
    name, sign, wanted = parts.groups()
    # A key may hold a sign itself: `data.columns["a<b"].scale`.
    for known in sorted(names, key=len, reverse=True):
        rest = _REST.fullmatch(text.strip().removeprefix(known)) if text.strip().startswith(known) else None
        if rest is not None:
            name, (sign, wanted) = known, rest.groups()
            break
    _check_name("--where", name, summaries, names)
    meaning = _meaning(wanted)
    text = meaning if isinstance(meaning, str) else wanted
    condition = _Condition(name, "=" if sign == "==" else sign, text, meaning)
    _check_value(condition, summaries)
    return condition


def _check_name(option: str, name: str, summaries: Sequence[Summary], names: Sequence[str]) -> None:
    # Where no run has metrics yet (or there is none), nobody can say which names are wrong.
    nothing_known = not summaries or (name.startswith(PARTS) and not any(each.metrics for each in summaries))
    if name in names or nothing_known:
        return
    near = difflib.get_close_matches(name, names, n=1)
    meant = f", did you mean {shown(near[0])}?" if near else ";"
    listed = ", ".join(shown(each) for each in names[:MAX_LISTED])
    more = f" and {len(names) - MAX_LISTED} more" if len(names) > MAX_LISTED else ""
    raise SpecError(Problem(f"no run has {shown(name)}{meant} allowed: {listed}{more}", key=option))


def _check_value(condition: _Condition, summaries: Sequence[Summary]) -> None:
    name, wanted = condition.name, condition.wanted
    is_number = name in _NUMBERS or any(name in each.metrics for each in summaries)
    if is_number and wanted is not None and (not _is_number(wanted) or wanted != wanted):
        allowed = "a number, or `null` for runs that have none"
        raise SpecError(Problem(f"`{name}` is {allowed}, got {shown(condition.text)}", key="--where"))
    if name == "status" and condition.sign in ("=", "!=") and condition.text not in STATUSES:
        raise SpecError(
            Problem(f"`status` is one of {', '.join(STATUSES)}, got {shown(condition.text)}", key="--where")
        )


def _names(summaries: Sequence[Summary]) -> list[str]:
    """All that can be asked for: fields, metrics, overridden keys."""
    metrics = dict.fromkeys(name for each in summaries for name in each.metrics)
    overrides = dict.fromkeys(name for each in summaries for name in each.overrides)
    return list(dict.fromkeys((*_FIELDS, *metrics, *overrides)))


def _meaning(text: str) -> Any:
    """The value that a text means, as in a run's JSON; else the text."""
    for read in (json.loads, float):
        try:
            return read(text)
        except (ValueError, RecursionError):
            continue
    return None if text == "none" else text


def _is_number(obj: Any) -> bool:
    return isinstance(obj, int | float) and not isinstance(obj, bool)


def _rank(obj: Any) -> tuple[bool, float, str]:
    """Numbers by size, before all else by its text."""
    return (False, obj, "") if _is_number(obj) else (True, 0.0, obj if isinstance(obj, str) else json.dumps(obj))
