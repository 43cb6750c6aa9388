"""Where a sweep and its trials stand, as their folders show it: they are only read."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Mapping
from typing import Any, get_args

from nnctl.errors import Place, Problem, RunError
from nnctl.running.run import FINISHED, read_run
from nnctl.runs import atomic
from nnctl.runs.places import from_here
from nnctl.runs.run_dir import KILLED, RunDir
from nnctl.runs.sweep_dir import SweepDir
from nnctl.sweeps.result import Sweep, Tried
from nnctl.sweeps.trial import Criterion, Goal, Trial

TAIL = 4096  # bytes at the end of metrics.csv that hold its last row
WAITS = "waits "  # how the reason of a run begins that waits for a decision


def read_sweep(sweep_dir: SweepDir) -> Sweep:
    """A sweep as its folder shows it. Raises: RunError if its sweep.json is damaged."""
    about = sweep_dir.read_sweep_json()
    metric, goal = metric_in(about, sweep_dir)
    status, reason = about.get("status", ""), about.get("reason", "")
    if status == "running" and not sweep_dir.is_locked():
        status, reason = "interrupted", KILLED
    return Sweep(
        path=from_here(sweep_dir.path),
        status=status,
        reason=reason,
        metric=metric,
        goal=goal,
        trials=tuple(stands(sweep_dir, trial) for trial in trials_in(about, sweep_dir)),
        seconds=about.get("seconds") or 0.0,
    )


def metric_in(about: Mapping[str, Any], sweep_dir: SweepDir) -> tuple[str, Goal]:
    """The metric that decides and its better direction. Raises: RunError if sweep.json is damaged."""
    match about.get("metric"):
        case {"name": str(name), "goal": goal} if goal in get_args(Goal):
            return name, goal
    message = "is damaged: `metric` is not what it should be"
    raise RunError(Problem(message, place=Place(str(sweep_dir.sweep_json))))


def trials_in(about: Mapping[str, Any], sweep_dir: SweepDir) -> list[Trial]:
    """The trials that a sweep has begun, or was about to begin. Raises: RunError if its sweep.json is damaged."""
    try:
        return [Trial(each["number"], each["params"], tuple(each["overrides"])) for each in about["trials"]]
    except (KeyError, TypeError) as error:
        message = "is damaged: `trials` are not what they should be"
        raise RunError(Problem(message, place=Place(str(sweep_dir.sweep_json)))) from error


def stands(sweep_dir: SweepDir, trial: Trial) -> Tried:
    """A trial as its run folder shows it; `damaged` if that cannot be read.

    It is `waiting` if it has not begun, or waits for a decision whether it goes on.
    """
    run_dir = sweep_dir.trial(trial.number)
    path = from_here(run_dir.path)
    if not run_dir.is_run():
        return Tried(trial.number, "", "waiting", "", 0, 0, 0.0, trial.params, {})
    try:
        run = read_run(run_dir)
        if run.status == "running" and not run_dir.is_locked():
            run = read_run(run_dir)  # it may have ended between these two looks
    except RunError as error:
        return Tried(trial.number, path, "damaged", str(error), 0, 0, 0.0, trial.params, {})
    status, reason, epochs = run.status, run.reason, run.epochs
    if status == "running":
        epochs = epochs_of(run_dir)
        if not run_dir.is_locked():
            status, reason = "interrupted", KILLED
    elif status == "interrupted" and reason.startswith(WAITS):
        status = "waiting"
    metrics = run.metrics if status in FINISHED else {}
    return Tried(trial.number, path, status, reason, epochs, run.best_epoch, run.seconds, trial.params, metrics)


def has_ended(run_dir: RunDir) -> bool:
    """Whether a run has its result: cheaply, since this is asked of every trial once a second."""
    if not os.path.lexists(run_dir.metrics_json):
        return False
    try:
        return run_dir.read_run_json().get("status") in FINISHED
    except RunError:
        return False


def epochs_of(run_dir: RunDir) -> int:
    """The last epoch in metrics.csv; 0 if there is none."""
    try:
        with atomic.open_regular(run_dir.metrics_csv) as file:
            file.seek(max(os.fstat(file.fileno()).st_size - TAIL, 0))
            lines = file.read().split(b"\n")[:-1]  # behind the last end of a line may be half of one
    except OSError:
        return 0
    cell = lines[-1].partition(b",")[0] if lines else b""
    return int(cell) if cell.isdigit() else 0


def curve_of(run_dir: RunDir, criterion: Criterion) -> tuple[tuple[int, float], ...]:
    """The epochs of metrics.csv, and the best value up to each; those in which it is not finite are left out.

    Raises: RunError if the table cannot be read, or has no such column.
    """
    better = min if criterion.goal == "minimize" else max
    found: list[tuple[int, float]] = []
    try:
        with atomic.open_regular(run_dir.metrics_csv) as file:
            header, *rows = csv.reader(file.read().decode().split("\n")[:-1])
        epoch, column = header.index("epoch"), header.index(criterion.metric)
        for row in rows:
            value = float(row[column])
            if math.isfinite(value):
                found.append((int(row[epoch]), better(value, found[-1][1]) if found else value))
    except FileNotFoundError:
        return ()
    except (OSError, csv.Error, ValueError, IndexError) as error:
        message = f"has no `{criterion.metric}` to decide by: {error}"
        raise RunError(Problem(message, place=Place(str(run_dir.metrics_csv)))) from error
    return tuple(found)
