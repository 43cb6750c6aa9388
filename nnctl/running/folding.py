"""What the folds of a cross-validation say together, and its own folder."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from signal import Signals
from typing import Any

from nnctl.errors import OutputError
from nnctl.preparing.preparation import Prepared, resolved
from nnctl.running.recording import described_run, now
from nnctl.running.run import FINISHED, Run, profiled, read_run
from nnctl.runs import atomic
from nnctl.runs.logs import Log
from nnctl.runs.places import from_here
from nnctl.runs.run_dir import RunDir, link_latest
from nnctl.spec.dump import dump
from nnctl.spec.reading import written
from nnctl.spec.schema import Experiment


@dataclass(frozen=True, slots=True)
class Folded(Run):
    """A cross-validation as it ended, or as it stands.

    ``metrics`` are the means and ``std`` the sample standard deviations (n - 1) of each metric over the folds that have
    ended with a finite value of it, nan where there are none, or only one; ``epochs`` and ``seconds`` are those of all
    folds together.
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
            **profiled(self),
        }


def folded(path: str, folds: Sequence[Run], status: str, reason: str) -> Folded:
    """The cross-validation of these folds."""
    ended = [fold for fold in folds if fold.status in FINISHED]
    values: dict[str, list[float]] = {name: [] for fold in ended for name in fold.metrics}
    for fold in ended:
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


class FoldsRecorder:
    """Writes the run folder of a cross-validation, all but the runs of its folds."""

    def __init__(self, run_dir: RunDir, about: Mapping[str, Any]) -> None:
        self.dir, self.count = run_dir, about["folds"]
        self._runs: dict[int, Run] = {}  # by the number of the fold
        self.path = from_here(run_dir.path)
        self._noted = {*_lines(run_dir.log)}
        self._about = about
        self.log = Log(run_dir.log)
        self._write(folded(self.path, (), "running", ""))

    @property
    def folds(self) -> list[Run]:
        """The runs of the folds that have ended, in the order of their numbers."""
        return [self._runs[number] for number in sorted(self._runs)]

    def note(self, text: str) -> bool:
        """Write a line to the log; whether it is news."""
        if text in self._noted:
            return False
        self._noted.add(text)
        self.log.line(text)
        return True

    def fold(self, number: int, run: Run, *, told: bool = True) -> None:
        """Take in the run of a fold that has ended; ``told`` is whether it has ended just now."""
        self._runs[number] = run
        if told:
            self.log.line(f"fold {number}: {run.status}: {run.reason}")
        self._write(folded(self.path, self.folds, "running", ""))

    def finish(self, signal: Signals | None) -> Folded:
        """Write how the cross-validation ended."""
        done = len(self._runs)
        interrupted, diverged = (
            [str(number) for number, run in sorted(self._runs.items()) if run.status == status]
            for status in ("interrupted", "diverged")
        )
        if signal is not None and (interrupted or done != self.count):
            inside = f"in fold {', '.join(interrupted)}" if interrupted else f"after fold {done}"
            status, reason = "interrupted", f"{signal.name} {inside} of {self.count}"
        elif diverged:
            which = ", ".join(diverged)
            reason = self._runs[int(diverged[0])].reason
            status, reason = "diverged", f"in fold {which} of {self.count} {reason}"
        else:
            status, reason = "completed", f"all {self.count} folds done"
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
        if self._runs:
            atomic.write_json(self.dir.folds_json, found.as_json())
        atomic.write_json(
            self.dir.run_json,
            {
                **self._about,
                "status": found.status,
                "reason": found.reason,
                "weights_sha256": None,
                "finished": None if found.status == "running" else now(),
                "seconds": found.seconds,
                "epochs": found.epochs,
                "best_epoch": None,
            },
        )


def _lines(path: Path) -> list[str]:
    """What is in a log; nothing, if there is none yet."""
    try:
        return path.read_text(errors="replace").splitlines()
    except OSError:
        return []


def begin_folds(run_dir: RunDir, config: bytes, first: Prepared, about: Mapping[str, Any]) -> FoldsRecorder:
    """Write what a new cross-validation begins with; run.json comes last."""
    count = first.experiment.data.split.folds
    described = {**described_run(run_dir, first, about), "folds": count, "started": now()}
    atomic.write(run_dir.config, config)
    atomic.write(run_dir.resolved, dump(written(with_fold(resolved(first), None))).encode())
    recorder = FoldsRecorder(run_dir, described)
    for text in link_latest(run_dir.path):
        recorder.note(text)
    return recorder


def read_folded(run_dir: RunDir) -> Folded:
    """A cross-validation as its folder shows it. Raises: RunError if a file of it is damaged."""
    about = run_dir.read_run_json()
    folds = [read_run(run_dir.fold(number)) for number in range(1, about["folds"] + 1) if run_dir.fold(number).is_run()]
    return folded(from_here(run_dir.path), folds, about.get("status", ""), about.get("reason", ""))
