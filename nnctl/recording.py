"""What a run leaves on disk while it trains: metrics, checkpoints, and the story of the run."""

from __future__ import annotations

import hashlib
import os
import platform
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_info

import nnctl
from nnctl.errors import OutputError
from nnctl.evaluation import Evaluator
from nnctl.model import described
from nnctl.preparation import Prepared, resolved
from nnctl.runs import atomic, checkpoint
from nnctl.runs.run_dir import Log, MetricsLog, RunDir
from nnctl.spec.dump import dump
from nnctl.spec.reading import Spec, written
from nnctl.trainer import Epoch, Stop, Trainer

Array = NDArray[Any]

SAVE_SHARE = 50  # a save is due when so many times what the last one took have passed ...
SAVE_PAUSE = 1.0  # ... and so many seconds


@dataclass(frozen=True, slots=True)
class Run:
    """A run as it ended, or as it stands."""

    path: str
    status: str
    reason: str
    epochs: int
    best_epoch: int
    metrics: dict[str, float]  # with the best weights: train_, val_, test_ and the name
    seconds: float
    checkpoint: str | None  # the best weights; None if there are none

    def as_json(self) -> dict[str, Any]:
        """What `train --json` prints."""
        names = ("status", "epochs", "best_epoch", "metrics", "seconds", "checkpoint")
        return {"schema": "nnctl.train/1", "run": self.path, **{name: getattr(self, name) for name in names}}


class Recorder:
    """Writes the run folder of one training."""

    def __init__(self, run_dir: RunDir, spec: Spec, prepared: Prepared, trainer: Trainer, about: Mapping[str, Any]):
        self.dir, self.prepared, self.trainer = run_dir, prepared, trainer
        self.started = now()
        self.described = described(prepared)
        self._about = described_run(run_dir, spec, prepared, about)
        atomic.write(run_dir.config, spec.document.content)
        atomic.write(run_dir.resolved, dump(written(resolved(prepared))).encode())
        self._write_run("running", "")
        self.metrics = MetricsLog(run_dir.metrics_csv, ["epoch", "step", "lr", "seconds", *prepared.job.columns])
        self.log = Log(run_dir.log)
        self._saved_at, self._save_took = time.perf_counter(), 0.0
        self._best_saved = 0
        self._last_row: dict[str, Any] = {}

    def epoch(self, event: Epoch) -> None:
        """Note a finished epoch; save if it is time."""
        if event.values:
            row = {"epoch": event.epoch, "step": event.step, "lr": event.lr, "seconds": event.seconds}
            self._last_row = {**row, **{name: event.values[name] for name in self.prepared.job.columns}}
            self.metrics.append(self._last_row)
        if event.stop is None:
            self.keep_up()

    def note(self, text: str) -> None:
        """Write a line to the run's log."""
        self.log.line(text)

    def keep_up(self) -> None:
        """Flush the metrics if they wait too long; save if saving has cost a small share of the time."""
        self.metrics.flush_if_due()
        if time.perf_counter() - self._saved_at > max(SAVE_PAUSE, SAVE_SHARE * self._save_took):
            self.save()

    def save(self) -> None:
        """Write the best weights, if they are new, and the state of the run."""
        start = time.perf_counter()
        self.metrics.flush()
        best = self.trainer.best
        if best.epoch != self._best_saved:
            tensors = self._tensors(best.theta, best.stats)
            checkpoint.save(self.dir.best, tensors, {**self.described, "kind": "best", "epoch": best.epoch})
            self._best_saved = best.epoch
        arena = self.trainer.arena
        tensors = self._tensors(self.trainer.weights.theta, arena.stats) | self.trainer.vectors()
        meta = {
            **self.described,
            "kind": "last",
            "epoch": self.trainer.progress.epoch,
            "state": self.trainer.counters(),
        }
        checkpoint.save(self.dir.last, tensors, meta)
        self._saved_at = time.perf_counter()
        self._save_took = self._saved_at - start

    def finish(self, stop: Stop, *, status: str | None = None) -> Run:
        """Save, judge the best weights on every part, and write how the run ended."""
        trainer, best = self.trainer, self.trainer.best
        if stop.status != "diverged":
            self.save()
        elif best.epoch != self._best_saved:
            self._save_best_only()
        metrics = self.judge() if best.epoch else {}
        self.metrics.close()
        epochs = trainer.progress.epoch
        summary = {"schema": "nnctl.metrics/1", "epochs": epochs, "best_epoch": best.epoch, "metrics": metrics}
        atomic.write_json(self.dir.metrics_json, {**summary, "last": self._last_row})
        status = status or stop.status
        self._write_run(status, stop.reason, weights_sha256=self._weights_sha256())
        self.log.close()
        return Run(
            path=os.path.relpath(self.dir.path),
            status=status,
            reason=stop.reason,
            epochs=epochs,
            best_epoch=best.epoch,
            metrics=metrics,
            seconds=trainer.progress.seconds,
            checkpoint=os.path.relpath(self.dir.best) if best.epoch else None,
        )

    def fail(self, reason: str) -> None:
        """Write that the run ended by an error, as far as the disk lets it be written."""
        for step in (self.metrics.close, lambda: self._write_run("failed", reason), self.log.close):
            with suppress(OutputError):
                step()

    def judge(self) -> dict[str, float]:
        """The loss and metrics of the best weights on every part, by part and name."""
        job, best = self.prepared.job, self.trainer.best
        arena = job.network.arena(job.dtype)
        np.copyto(arena.theta, best.theta)
        np.copyto(arena.stats, best.stats)
        evaluator = Evaluator(job.network, job.loss, arena)
        found = {}
        for part, examples in self.prepared.examples.items():
            for name, value in evaluator.evaluate(examples, job.target, job.metrics).items():
                found[f"{part}_{name}"] = value
        return found

    def _save_best_only(self) -> None:
        """After a divergence the present weights are worth nothing; the last good save stays."""
        best = self.trainer.best
        tensors = self._tensors(best.theta, best.stats)
        checkpoint.save(self.dir.best, tensors, {**self.described, "kind": "best", "epoch": best.epoch})

    def _tensors(self, theta: Array, stats: Array) -> dict[str, Array]:
        arena = self.trainer.arena
        running = {part.name: part.view(stats) for part in arena.statistics}
        return {**arena.named(theta), **running}

    def _weights_sha256(self) -> str | None:
        best = self.trainer.best
        return hashlib.sha256(best.theta.tobytes() + best.stats.tobytes()).hexdigest() if best.epoch else None

    def _write_run(self, status: str, reason: str, *, weights_sha256: str | None = None) -> None:
        progress = self.trainer.progress
        atomic.write_json(
            self.dir.run_json,
            {
                **self._about,
                "status": status,
                "reason": reason,
                "weights_sha256": weights_sha256,
                "started": self.started,
                "finished": None if status == "running" else now(),
                "seconds": progress.seconds,
                "epochs": progress.epoch,
                "best_epoch": self.trainer.best.epoch,
            },
        )


def described_run(run_dir: RunDir, spec: Spec, prepared: Prepared, about: Mapping[str, Any]) -> dict[str, Any]:
    """What run.json says of a run that begins."""
    return {
        "schema": "nnctl.run/1",
        "name": run_dir.name,
        "id": run_dir.id,
        **about,
        "seed": prepared.experiment.seed,
        "versions": {"nnctl": nnctl.__version__, "numpy": np.__version__, "python": platform.python_version()},
        "blas": _blas(),
        "threads": 1,
        "git": _git(spec.document.path.parent),
        "data_sha256": prepared.fitted.data_sha256,
        "rows": prepared.fitted.rows,
        "parameters": prepared.network.parameters,
        "pid": os.getpid(),
        "host": socket.gethostname(),
    }


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _blas() -> list[dict[str, Any]]:
    """The BLAS libraries at work, as threadpoolctl sees them."""
    keys = ("internal_api", "version", "architecture", "num_threads")
    return [{key: library.get(key) for key in keys} for library in threadpool_info() if library["user_api"] == "blas"]


def _git(folder: Path) -> str | None:
    """The commit that the config's folder is at; None outside a repository."""
    command: Sequence[str] = ("git", "-C", str(folder), "rev-parse", "HEAD")
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=2, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None
