"""Going on with a run from its last save, bit by bit as if it had never stopped."""

from __future__ import annotations

import json
import math
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from nnctl.data.cache import Cache
from nnctl.errors import DataError, NnctlError, OutputError, Place, Problem, RunError, SpecError
from nnctl.network.finite import Finite
from nnctl.preparing.fitted import Known, features_from, target_from
from nnctl.preparing.keys import Key, files_of, hashes
from nnctl.preparing.preparation import Prepared, prepare, resolved
from nnctl.running.extending import (
    HARMLESS,
    changes,
    check_changes,
    check_goes_on,
    check_overrides,
    schedule_note,
    within,
)
from nnctl.running.machine import differences, machine
from nnctl.running.recording import Recorder, now
from nnctl.running.rows import columns_of
from nnctl.running.threads import recorded, threaded
from nnctl.runs import atomic, checkpoint
from nnctl.runs.checkpoint import Checkpoint
from nnctl.runs.checkpoints import Checkpoints
from nnctl.runs.logs import check_metrics
from nnctl.runs.places import from_here
from nnctl.runs.run_dir import RunDir
from nnctl.spec.dump import dump
from nnctl.spec.reading import Spec, read_experiment, written
from nnctl.spec.schema import Experiment
from nnctl.training.trainer import Trainer


class Resumed(NamedTuple):
    """A run that is open again, and what has to be told about it."""

    recorder: Recorder
    notes: list[str]


def reopen(
    run_dir: RunDir,
    overrides: Sequence[str] | Mapping[str, Any] | None,
    cache: Cache,
    *,
    exact: bool = False,
    argv: Sequence[str] = (),
) -> Resumed:
    """Open a run, of which the lock is held, where its last save left it. Nothing is changed if it cannot go on.

    Raises: RunError if its files are damaged, SpecError if it has ended or a key must not change, DataError if the
            data has changed.
    """
    check_overrides(overrides)
    about = run_dir.read_run_json()
    checkpoints = Checkpoints(run_dir)
    saved, notes = checkpoints.load_last()
    _check_own(saved, about, run_dir)
    best = _best(run_dir, saved)
    spec = _spec(run_dir, overrides)
    experiment = replace(spec.experiment, name=run_dir.name)
    changed = changes(saved.meta["spec"], written(experiment))
    check_changes(changed, spec)
    going_on = check_goes_on(about, saved.meta, experiment, changed, from_here(run_dir.path))
    notes += _machine_notes(saved.meta, run_dir, exact=exact)
    prepared = threaded(_prepared(spec, experiment, saved, cache, changed), recorded(about, run_dir.run_json))
    _check_monitor(prepared, saved, spec)
    trainer = _restored(prepared, saved, best, run_dir)
    if "train.epochs" in changed:
        notes += schedule_note(prepared.job, saved.meta["spec"]["train"]["epochs"], trainer.stepping.done)
    check_metrics(run_dir.metrics_csv, columns_of(prepared.job), saved.meta["metrics"][0])
    if going_on:
        saved = replace(saved, meta={**saved.meta, "stop": None})
    notes += checkpoints.clean()
    recorder = Recorder(run_dir, prepared, trainer, _about(about, spec, trainer, changed, argv), saved)
    try:  # from here on run.json says that it is being trained: what follows may be lost in a kill
        if changed:
            atomic.write(run_dir.resolved, dump(written(resolved(prepared))).encode())
        _forget(run_dir.metrics_json)
        _forget(run_dir.autopsy)
    except OutputError as error:
        recorder.fail(str(error))
        raise
    recorder.log.line(f"going on after epoch {trainer.progress.epoch}, step {trainer.stepping.done}")
    return Resumed(recorder, notes)


def _check_own(saved: Checkpoint, about: Mapping[str, Any], run_dir: RunDir) -> None:
    if saved.meta.get("kind") != "last" or saved.meta.get("run") != about.get("id"):
        message = "is no save of this run; put back its own, or train again"
        raise RunError(Problem(message, place=Place(str(run_dir.last))))


def _check_monitor(prepared: Prepared, saved: Checkpoint, spec: Spec) -> None:
    if prepared.job.monitor != saved.meta["monitor"]:
        message = f"cannot change when a run goes on: its best epoch is that with the best {saved.meta['monitor']}"
        raise SpecError(Problem(message, "early_stopping.monitor", spec.place("early_stopping.monitor")))


def _spec(run_dir: RunDir, overrides: Sequence[str] | Mapping[str, Any] | None) -> Spec:
    """The config of the run. Raises: RunError if the file is damaged; SpecError if the overrides are wrong."""
    try:
        spec = read_experiment(run_dir.resolved)
    except SpecError as error:
        message = f"is damaged: {error.problems[0].message}"
        raise RunError(Problem(message, place=error.problems[0].place or Place(str(run_dir.resolved)))) from None
    return read_experiment(run_dir.resolved, overrides) if overrides else spec


def _best(run_dir: RunDir, saved: Checkpoint) -> dict[str, Any] | None:
    """What is said of the best weights, which are read when there is room for them.

    Raises: RunError if they are not there, damaged, or older than the state of the run.
    """
    epoch = saved.meta["state"]["best"]["epoch"]
    if not os.path.lexists(run_dir.best):
        if not epoch:
            return None
        raise RunError(
            Problem(f"is missing: it held the best weights, of epoch {epoch}", place=Place(str(run_dir.best)))
        )
    best = checkpoint.verified(run_dir.best)
    of_this_run = best.get("kind") == "best" and best.get("run") == saved.meta["run"]
    if not of_this_run or best["epoch"] < epoch:
        message = f"is not that of this run, whose best weights so far are those of epoch {epoch}"
        raise RunError(Problem(message, place=Place(str(run_dir.best))))
    return best


def _machine_notes(meta: Mapping[str, Any], run_dir: RunDir, *, exact: bool) -> list[str]:
    found = differences(meta["machine"], machine())
    if not found:
        return []
    if exact:
        message = f"cannot go on bit by bit ({'; '.join(found)}); leave out `--exact`, or go on where it began"
        raise SpecError(Problem(message, place=Place(str(run_dir.path))))
    return [f"warning: going on, but not bit by bit as it would have: {'; '.join(found)}"]


def _prepared(
    spec: Spec, experiment: Experiment, saved: Checkpoint, cache: Cache, changed: Mapping[str, Any]
) -> Prepared:
    """The data once more, with what was fitted to it. Raises: DataError if it is not what it was."""
    meta = saved.meta
    paths = files_of(experiment.data)
    found = hashes(paths) or {}
    _check_data(found, meta["data_sha256"], {part: str(path) for part, path in paths.items()})
    moved = any(key in changed for key in ("data.path", "data.val_path", "data.test_path"))
    key = None if moved or not found or meta["prepared"] is None else Key(meta["prepared"], found)
    known = Known(features_from(meta["features"]), target_from(meta["target"], experiment))
    try:
        prepared = prepare(experiment, cache=cache, known=known, key=key)
    except NnctlError as error:
        raise error.placed(spec.place) from None
    _check_data(prepared.fitted.sha256, meta["data_sha256"], {part: str(path) for part, path in paths.items()})
    return prepared


def _check_data(found: Mapping[str, str], then: Mapping[str, str], paths: Mapping[str, str]) -> None:
    for part, digest in found.items():
        if then.get(part) != digest:
            path = paths.get(part, paths["train"])
            message = "has changed since the run was trained on it; put the old file back, or train a new run"
            raise DataError(Problem(f"{path}: {message}", "data.path" if part == "train" else f"data.{part}_path"))


def _restored(prepared: Prepared, saved: Checkpoint, best: Mapping[str, Any] | None, run_dir: RunDir) -> Trainer:
    """The trainer as it was, in the memory that training takes. Raises: RunError if the checkpoint does not fit."""
    keeps_best = "best.theta" in saved.tensors
    try:
        trainer = Trainer(prepared.job, saved.tensors)
        left = _Left(saved.tensors)
        saved.tensors.clear()
        trainer.restore(left, saved.meta["state"])
        saved.meta["best_saved"] = 0 if best is None else best["epoch"]
        if best is not None and not keeps_best:
            # A kill between the two files leaves a best one that is newer than the state; the run makes it again.
            arena, kept = trainer.arena, trainer.best
            tensors = checkpoint.load(run_dir.best).tensors
            for parts, vector in ((arena.parameters, kept.theta), (arena.statistics, kept.stats)):
                for part in parts:
                    part.view(vector)[...] = tensors[part.name]
            kept.epoch = best["epoch"]
            kept.value = math.nan if best["value"] is None else best["value"]
            saved.meta["best_row"] = best["row"]
    except (KeyError, ValueError, TypeError) as error:
        message = f"does not fit the network of the run: {type(error).__name__} {error}"
        raise RunError(Problem(message, place=Place(str(run_dir.last)))) from None
    if not Finite.of(trainer.weights.theta):
        message = "holds weights that are no finite numbers; train again"
        raise RunError(Problem(message, place=Place(str(run_dir.last))))
    rule = prepared.job.early_stopping
    if rule is None or not trainer.progress.stopping:
        trainer.progress.stopping = {} if rule is None else rule.start()
    return trainer


class _Left(dict[str, Any]):
    """The arrays that nobody has taken yet."""

    def __getitem__(self, name: str) -> Any:
        return self.pop(name)


def _about(
    about: Mapping[str, Any], spec: Spec, trainer: Trainer, changed: Mapping[str, Any], argv: Sequence[str]
) -> dict[str, Any]:
    """What run.json says from now on."""
    overrides = json.loads(json.dumps(dict(spec.document.overrides)))
    entry = {
        "at": now(),
        "argv": list(argv),
        "overrides": overrides,
        "epoch": trainer.progress.epoch,
        "step": trainer.stepping.done,
    }
    again = {**about, **machine(), "pid": os.getpid(), "host": socket.gethostname()}
    again["overrides"] = {**about.get("overrides", {}), **overrides}
    again["resumed"] = [*about.get("resumed", []), entry]
    learned = [key for key in changed if not within(key, HARMLESS)]
    if learned:
        again["fingerprint"] = None  # no run of one piece is the same
        again["changed"] = [*dict.fromkeys((*about.get("changed", ()), *learned))]
    return again


def _forget(path: Path) -> None:
    """Remove what says how the run ended."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise atomic.cannot_write(path, error, done="removed") from error
