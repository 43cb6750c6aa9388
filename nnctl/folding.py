"""Cross-validation: one run for each fold, and what they say together."""

from __future__ import annotations

import math
import os
import statistics
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from signal import Signals
from typing import Any

from nnctl.data.cache import Cache
from nnctl.dataset import Tables, read_tables
from nnctl.errors import NnctlError, OutputError
from nnctl.interrupts import Interrupts
from nnctl.preparation import Prepared, prepare, resolved
from nnctl.recording import Run, described_run, now
from nnctl.running import Event, Finished, FoldsStarted, Note, reason_of, running
from nnctl.runs import atomic
from nnctl.runs.run_dir import Log, RunDir
from nnctl.spec.dump import dump
from nnctl.spec.reading import Spec, written
from nnctl.spec.schema import Data, Experiment
from nnctl.trainer import Trainer


@dataclass(frozen=True, slots=True)
class Folded(Run):
    """A cross-validation as it ended, or as it stands.

    ``metrics`` are the means and ``std`` the sample standard deviations (n - 1) of each metric over the folds that
    have a finite value of it, nan where there are none, or only one; ``epochs`` and ``seconds`` are those of all folds
    together.
    """

    folds: tuple[Run, ...] = ()
    std: dict[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {
            "schema": "nnctl.folds/1",
            "run": self.path,
            "status": self.status,
            "folds": [{"run": fold.path, "status": fold.status, "metrics": fold.metrics} for fold in self.folds],
            "mean": self.metrics,
            "std": self.std,
        }


def folded(path: str, folds: Sequence[Run], status: str, reason: str) -> Folded:
    """The cross-validation of these folds."""
    values: dict[str, list[float]] = {name: [] for fold in folds for name in fold.metrics}
    for fold in folds:
        for name, value in fold.metrics.items():
            if math.isfinite(value):
                values[name].append(value)
    return Folded(
        path=path,
        status=status,
        reason=reason,
        epochs=sum(fold.epochs for fold in folds),
        best_epoch=0,
        metrics={name: statistics.fmean(found) if found else math.nan for name, found in values.items()},
        seconds=sum(fold.seconds for fold in folds),
        checkpoint=None,
        folds=tuple(folds),
        std={name: statistics.stdev(found) if len(found) > 1 else math.nan for name, found in values.items()},
    )


def has_folds(experiment: Experiment) -> bool:
    """Whether an experiment is trained once for each fold."""
    split = experiment.data.split
    return split.folds is not None and split.fold is None


def with_fold(experiment: Experiment, fold: int | None) -> Experiment:
    """An experiment of one fold, from 1; of all of them for None."""
    return replace(experiment, data=replace(experiment.data, split=replace(experiment.data.split, fold=fold)))


class Once:
    """Reads the tables of an experiment when they are first asked for, and gives them to every fold."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._tables: Tables | None = None

    def __call__(self, data: Data) -> Tables:
        self._tables = self._tables or read_tables(data, self._folder)
        return self._tables


def folds_of(experiment: Experiment, cache: Cache) -> Iterator[Prepared]:
    """Every fold, prepared when it is asked for; the tables are read once, and only if the cache lacks a fold.

    What the first one decides (types, encodings, layers) holds for all: they train the same network, but for the
    levels that their own rows show.
    """
    tables = Once(cache.folder)
    count = experiment.data.split.folds
    assert count is not None
    for fold in range(1, count + 1):
        prepared = prepare(with_fold(experiment, fold), tables, cache)
        experiment = prepared.experiment
        yield prepared
        del prepared  # nothing holds the rows of a fold when those of the next are made


def cross_validation(
    spec: Spec, experiment: Experiment, runs: Path, about: Mapping[str, Any], cache: Cache
) -> Iterator[Event]:
    """Train a run for every fold: FoldsStarted, then the events of each, at last Finished with all of them.

    A fold that diverges ends alone; a signal ends all of them.
    """
    folds = folds_of(experiment, cache)
    try:
        prepared = next(folds)
    except NnctlError as error:
        raise error.placed(spec.place) from None
    count = prepared.experiment.data.split.folds
    assert count is not None
    waiting = [(prepared, Trainer(prepared.job))]  # not a name: it would hold the rows of a fold that has ended
    run_dir = RunDir.create(runs, str(experiment.name), checkpoints=False)
    with run_dir.lock(), Interrupts() as interrupts:
        recorder = FoldsRecorder(run_dir, spec, prepared, about)
        del prepared
        yield FoldsStarted(os.path.relpath(run_dir.path), count)
        try:
            while True:
                yield from _fold(recorder, spec, *waiting.pop(), interrupts, about)
                if interrupts.received is not None or len(recorder.folds) == count:
                    break
                following = next(folds)
                waiting.append((following, Trainer(following.job)))
                del following
            signal = interrupts.received
            run = recorder.finish(signal)
        except Exception as error:
            recorder.fail(reason_of(error))
            raise
        yield Finished(run, int(signal) if signal is not None and run.status == "interrupted" else None)


def _fold(
    recorder: FoldsRecorder,
    spec: Spec,
    prepared: Prepared,
    trainer: Trainer,
    interrupts: Interrupts,
    about: Mapping[str, Any],
) -> Iterator[Event]:
    """Train the run of one fold; what the first one has decided, or any has warned of, is not told again."""
    split = prepared.experiment.data.split
    assert split.fold is not None
    assert split.folds is not None
    about = {**about, "overrides": {**about["overrides"], "data.split.fold": split.fold}}
    run_dir = recorder.dir.create_fold(split.fold)
    for event in running(run_dir, spec, prepared, trainer, interrupts, about, fold=(split.fold, split.folds)):
        if isinstance(event, Note) and (
            (recorder.folds and event.text in prepared.notes) or not recorder.note(event.text)
        ):
            continue
        if isinstance(event, Finished):
            recorder.fold(event.run)
        yield event


class FoldsRecorder:
    """Writes the run folder of a cross-validation, all but the runs of its folds."""

    def __init__(self, run_dir: RunDir, spec: Spec, first: Prepared, about: Mapping[str, Any]) -> None:
        self.dir = run_dir
        self.folds: list[Run] = []
        self.path = os.path.relpath(run_dir.path)
        self._started, self._noted = now(), set[str]()
        self._count = first.experiment.data.split.folds
        self._about = {**described_run(run_dir, spec, first, about), "folds": self._count}
        atomic.write(run_dir.config, spec.document.content)
        atomic.write(run_dir.resolved, dump(written(with_fold(resolved(first), None))).encode())
        self._write(folded(self.path, (), "running", ""))
        self.log = Log(run_dir.log)

    def note(self, text: str) -> bool:
        """Write a line to the log; whether it is news."""
        if text in self._noted:
            return False
        self._noted.add(text)
        self.log.line(text)
        return True

    def fold(self, run: Run) -> None:
        """Take in the run of a fold that has ended."""
        self.folds.append(run)
        self.log.line(f"fold {len(self.folds)}: {run.status}: {run.reason}")
        self._write(folded(self.path, self.folds, "running", ""))

    def finish(self, signal: Signals | None) -> Folded:
        """Write how the cross-validation ended."""
        last, done = self.folds[-1], len(self.folds)
        diverged = [number for number, run in enumerate(self.folds, 1) if run.status == "diverged"]
        if signal is not None and (last.status == "interrupted" or done != self._count):
            inside = "in" if last.status == "interrupted" else "after"
            status, reason = "interrupted", f"{signal.name} {inside} fold {done} of {self._count}"
        elif diverged:
            which = ", ".join(map(str, diverged))
            reason = self.folds[diverged[0] - 1].reason
            status, reason = "diverged", f"in fold {which} of {self._count} {reason}"
        else:
            status, reason = "completed", f"all {self._count} folds done"
        found = folded(self.path, self.folds, status, reason)
        self._write(found)
        self.log.close()
        return found

    def fail(self, reason: str) -> None:
        """Write that an error ended the cross-validation, as far as the disk lets it be written."""
        with suppress(OutputError):
            self._write(folded(self.path, self.folds, "failed", reason))
        with suppress(OutputError):
            self.log.close()

    def _write(self, found: Folded) -> None:
        if self.folds:
            atomic.write_json(self.dir.folds_json, found.as_json())
        atomic.write_json(
            self.dir.run_json,
            {
                **self._about,
                "status": found.status,
                "reason": found.reason,
                "weights_sha256": None,
                "started": self._started,
                "finished": None if found.status == "running" else now(),
                "seconds": found.seconds,
                "epochs": found.epochs,
                "best_epoch": None,
            },
        )
