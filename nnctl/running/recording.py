"""What a run leaves on disk while it trains: metrics, checkpoints, and the story of the run."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from nnctl.errors import NnctlError, OutputError
from nnctl.network.finite import Finite
from nnctl.preparing.preparation import Prepared, described, resolved
from nnctl.running.machine import MACHINE, machine
from nnctl.running.rows import Rows
from nnctl.running.run import Run, weights_sha256
from nnctl.runs import atomic
from nnctl.runs.checkpoint import Checkpoint
from nnctl.runs.checkpoints import Checkpoints
from nnctl.runs.logs import Log
from nnctl.runs.places import from_here
from nnctl.runs.run_dir import RunDir, link_latest
from nnctl.spec.dump import dump
from nnctl.spec.reading import written
from nnctl.training.evaluation import Evaluator
from nnctl.training.trainer import Epoch, Stop, Trainer

Array = NDArray[Any]

SAVE_SHARE = 50  # a save is due when so many times what the last one took have passed ...
SAVE_PAUSE = 1.0  # ... and so many seconds


class Recorder:
    """Writes the run folder of one training, of which it holds the lock.

    ``about`` is what run.json says of the run as a whole. A run that goes on gives ``saved``, its last checkpoint.
    """

    def __init__(
        self,
        run_dir: RunDir,
        prepared: Prepared,
        trainer: Trainer,
        about: Mapping[str, Any],
        saved: Checkpoint | None = None,
    ) -> None:
        self.dir, self.prepared, self.trainer = run_dir, prepared, trainer
        self._pause = prepared.experiment.checkpoint.pause
        label = "" if saved is None else self._label()
        self.checkpoints = Checkpoints(run_dir, prepared.experiment.checkpoint.keep, label)
        self._about = about
        self._meta = {**described(prepared), "machine": {name: about[name] for name in MACHINE}}
        self._meta["prepared"] = prepared.key and prepared.key.text
        self._meta["run"] = about["id"]  # so that a file of another run is told from one of this
        state = {} if saved is None else saved.meta
        self.unsaid: list[str] = []  # what has happened before or after all events, and has to be told
        self.stop = None if state.get("stop") is None else Stop(**state["stop"])  # how it ended, once that is saved
        self._best_saved = state.get("best_saved", 0)  # the epoch of the best weights on the disk
        self._saved_at, self._save_took, self._saved_step = time.perf_counter(), 0.0, trainer.stepping.done
        upto = None if saved is None else tuple(state["metrics"])
        self.company = 1  # runs that are saved together with this one, one after the other
        self.rows = Rows(run_dir.metrics_csv, prepared.job, state, upto)
        self.log = Log(run_dir.log)
        if saved is None:
            self.save()
        self._write_run("running", "")

    def epoch(self, event: Epoch) -> list[str]:
        """Note a finished epoch; save if it is time. What has to be told is given back, here and below."""
        if event.values:
            self.rows.add(event)
        return self.keep_up() if event.stop is None else []

    def note(self, text: str) -> None:
        """Write a line to the run's log."""
        self.log.line(text)

    def keep_up(self) -> list[str]:
        """Flush the metrics if they wait too long; save if it is time."""
        self.rows.flush_if_due()
        return self.save() if self.due else []

    def save(self) -> list[str]:
        """Write the best weights, if they are new, and the state of the run.

        A step that has ruined the weights shows itself in the next batch: they never take the place of good ones.
        """
        start, trainer = time.perf_counter(), self.trainer
        if not (Finite.of(trainer.arena.theta) and Finite.of(trainer.weights.theta)):
            return []
        offset = self.rows.offset()  # what the state counts on is on the disk before it
        self._save_best()
        meta = {
            **self._meta,
            "kind": "last",
            "epoch": trainer.progress.epoch,
            "state": trainer.counters(),
            "monitor": self.prepared.job.monitor,
            "metrics": offset,
            **self.rows.state(),
            "stop": self.stop and self.stop._asdict(),
        }
        tensors = self._tensors(trainer.weights.theta, trainer.arena.stats) | trainer.vectors()
        told = self.checkpoints.save_last(tensors, meta, self._label())
        self._saved_at, self._saved_step = time.perf_counter(), trainer.stepping.done
        self._save_took = self._saved_at - start
        return told

    def finish(self, stop: Stop) -> Run:
        """Save, judge the best weights on every part, and write how the run ended."""
        self.rows.write()
        if stop.status == "diverged":
            self._save_best()  # the present weights are worth nothing; the last good save stays
        else:
            self.stop = stop
            self._last_save()
        best = self.trainer.best
        metrics = self.judge() if best.epoch else {}
        self.rows.close()
        summary = {"schema": "nnctl.metrics/1", "epochs": self.trainer.progress.epoch, "best_epoch": best.epoch}
        atomic.write_json(self.dir.metrics_json, {**summary, "metrics": metrics, "last": self.rows.last})
        if stop.status == "diverged":
            self._write_autopsy(stop.reason)
        return self._end(stop.status, stop.reason, metrics)

    def interrupt(self, reason: str) -> Run:
        """Save, and write that the run stands still; its metrics are those of the best epoch as far as they are known.

        Nothing is judged anew: whoever sends a signal waits.
        """
        self.rows.write()
        self._last_save()
        self.rows.close()
        known = self.prepared.job.columns if self.trainer.best.epoch and self.rows.best else []
        return self._end("interrupted", reason, {name: self.rows.best[name] for name in known})

    def fail(self, reason: str) -> None:
        """Write that the run ended by an error, as far as the disk lets it be written."""
        for step in (self.rows.close, lambda: self._write_run("failed", reason), self.log.close):
            with suppress(OutputError):
                step()

    def judge(self) -> dict[str, float]:
        """The loss and metrics of the best weights on every part, by part and name."""
        job, best = self.prepared.job, self.trainer.best
        evaluator = Evaluator(job.network, job.loss, self.trainer.arena.beside(best.theta, best.stats))
        evaluator.space.timer = self.trainer.evaluator.space.timer
        found = {}
        for part, examples in self.prepared.examples.items():
            for name, value in evaluator.evaluate(examples, job.target, job.metrics).items():
                found[f"{part}_{name}"] = value
        return found

    @property
    def due(self) -> bool:
        """Whether the pause between two saves is over."""
        count, unit = self._pause
        progress, step = self.trainer.progress, self.trainer.stepping.done
        if unit == "epochs":
            return progress.batch == 0 and progress.epoch % count == 0 and step != self._saved_step
        if unit == "steps":
            return step // count != self._saved_step // count
        return time.perf_counter() - self._saved_at > max(SAVE_PAUSE, SAVE_SHARE * self.company * self._save_took)

    def _label(self) -> str:
        """The name that this save gets once it is an older one; none for one that only a signal has asked for."""
        (count, unit), progress, step = self._pause, self.trainer.progress, self.trainer.stepping.done
        if unit == "epochs":
            return (
                "" if progress.batch or not progress.epoch or progress.epoch % count else f"epoch-{progress.epoch:06}"
            )
        return "" if not step or (unit == "steps" and step % count) else f"step-{step:07}"

    def _write_autopsy(self, reason: str) -> None:
        """Write why the run has diverged. To find out may take all of the data once more: that it fails ends no run."""
        from nnctl.autopsy import autopsy  # most runs need none

        try:
            page = autopsy(self.trainer, self.prepared, reason, self.dir.metrics_csv)
        except (NnctlError, OSError, MemoryError, ValueError) as error:
            self.unsaid = [f"warning: {self.dir.autopsy}: is not written: {error or type(error).__name__}"]
            self.note(self.unsaid[0])
        else:
            atomic.write(self.dir.autopsy, page.encode())

    def _last_save(self) -> None:
        self.unsaid = self.save()
        for text in self.unsaid:
            self.note(text)

    def _save_best(self) -> None:
        best = self.trainer.best
        if best.epoch in (0, self._best_saved):
            return
        meta = {**self._meta, "kind": "best", "epoch": best.epoch, "value": best.value, "row": self.rows.best}
        self.checkpoints.save_best(self._tensors(best.theta, best.stats), meta)
        self._best_saved = best.epoch

    def _end(self, status: str, reason: str, metrics: dict[str, float]) -> Run:
        best = self.trainer.best
        digest = weights_sha256(best.theta, best.stats) if best.epoch else None
        self._write_run(status, reason, weights_sha256=digest)
        self.log.close()
        return Run(
            path=from_here(self.dir.path),
            status=status,
            reason=reason,
            epochs=self.trainer.progress.epoch,
            best_epoch=best.epoch,
            metrics=metrics,
            seconds=self.trainer.progress.seconds,
            checkpoint=from_here(self.dir.best) if best.epoch else None,
        )

    def _tensors(self, theta: Array, stats: Array) -> dict[str, Array]:
        arena = self.trainer.arena
        running = {part.name: part.view(stats) for part in arena.statistics}
        return {**arena.named(theta), **running}

    def _write_run(self, status: str, reason: str, *, weights_sha256: str | None = None) -> None:
        progress = self.trainer.progress
        atomic.write_json(
            self.dir.run_json,
            {
                **self._about,
                "status": status,
                "reason": reason,
                "weights_sha256": weights_sha256,
                "finished": None if status == "running" else now(),
                "seconds": progress.seconds,
                "epochs": progress.epoch,
                "best_epoch": self.trainer.best.epoch,
            },
        )


def begin(run_dir: RunDir, config: bytes, prepared: Prepared, trainer: Trainer, about: Mapping[str, Any]) -> Recorder:
    """Write what a new run begins with; run.json comes last, so that what has one can be resumed."""
    described = {**described_run(run_dir, prepared, about), "started": now()}
    atomic.write(run_dir.config, config)
    atomic.write(run_dir.resolved, dump(written(resolved(prepared))).encode())
    recorder = Recorder(run_dir, prepared, trainer, described)
    if not run_dir.is_part():
        recorder.unsaid = link_latest(run_dir.path)
    return recorder


def described_run(run_dir: RunDir, prepared: Prepared, about: Mapping[str, Any]) -> dict[str, Any]:
    """What run.json says of a run that begins; ``about`` is what nobody but whoever asked for it knows."""
    return {
        "schema": "nnctl.run/1",
        "name": run_dir.name,
        "id": run_dir.id,
        **about,
        "seed": prepared.experiment.seed,
        **machine(),
        "threads": prepared.job.threads,
        "shards": prepared.job.shards,
        "data_sha256": prepared.fitted.data_sha256,
        "rows": prepared.fitted.rows,
        "parameters": prepared.network.parameters,
        "pid": os.getpid(),
        "host": socket.gethostname(),
    }


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def commit_of(folder: Path) -> str | None:
    """The commit that a folder is at; None outside a repository."""
    command: Sequence[str] = ("git", "-C", str(folder), "rev-parse", "HEAD")
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=2, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None
