"""What a sweep leaves in its own folder: its story, its trials, its table, its log. One process writes it."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from nnctl.errors import OutputError
from nnctl.running.machine import machine
from nnctl.running.recording import now
from nnctl.runs import atomic
from nnctl.runs.logs import Log
from nnctl.runs.places import from_here
from nnctl.runs.sweep_dir import SCHEMA, SweepDir
from nnctl.sweeps.result import Sweep, Tried
from nnctl.sweeps.trial import Trial
from nnctl.sweeps.trials_table import table

FIRST, CHANGING = ("schema", "name", "id"), ("status", "reason", "finished", "seconds", "best", "trials")
PAUSE = 2.0  # seconds between two tables


class Record:
    """Writes the folder of one sweep, of which the lock is held.

    ``about`` is what sweep.json says of the sweep as a whole; of one that goes on, what it has said so far. The best
    trial is named as its folder lies in that of the sweep.
    """

    def __init__(self, sweep_dir: SweepDir, about: Mapping[str, Any], trials: Sequence[Trial] = ()) -> None:
        self.dir = sweep_dir
        self.trials = {trial.number: trial for trial in trials}
        self.log = Log(sweep_dir.log)
        kept = {name: value for name, value in about.items() if name not in CHANGING}
        self._about = {**kept, **machine(), "pid": os.getpid(), "host": socket.gethostname()}
        self._before, self._began = about.get("seconds") or 0.0, time.perf_counter()
        self._wrote, self._stale = -PAUSE, False
        self._best: dict[str, Any] | None = about.get("best")
        atomic.remove_temporaries(sweep_dir.path)

    @property
    def seconds(self) -> float:
        """On the clock, over all resumptions."""
        return self._before + time.perf_counter() - self._began

    def note(self, text: str) -> None:
        """Write a line to the log."""
        self.log.line(text)

    def add(self, trials: Iterable[Trial]) -> None:
        """Note trials that are about to begin: a kill may come before they leave anything themselves."""
        self.trials |= {trial.number: trial for trial in trials}
        self._write("running", "")

    def changed(self) -> None:
        """The table is no longer what it should be."""
        self._stale = True

    def keep_up(self, tried: Sequence[Tried]) -> None:
        """Write the table anew, and which trial is the best, if it is stale and the last time is a while ago."""
        if self._stale and time.perf_counter() - self._wrote >= PAUSE:
            self._write_table(tried)
            self._write("running", "")

    def end(self, status: str, reason: str, tried: Sequence[Tried]) -> Sweep:
        """Write how the sweep ended."""
        self._write_table(tried)
        self._write(status, reason)
        self.log.close()
        return self._sweep(status, reason, tried)

    def fail(self, reason: str, tried: Sequence[Tried]) -> None:
        """Write that the sweep ended by an error, as far as the disk lets it be written."""
        with suppress(OutputError):
            self._write_table(tried)
        with suppress(OutputError):
            self._write("failed", reason)
        self.log.close()

    def _sweep(self, status: str, reason: str, tried: Sequence[Tried]) -> Sweep:
        metric, path = self._about["metric"], from_here(self.dir.path)
        return Sweep(path, status, reason, metric["name"], metric["goal"], tuple(tried), self.seconds)

    def _write_table(self, tried: Sequence[Tried]) -> None:
        self._wrote, self._stale = time.perf_counter(), False
        atomic.write(self.dir.trials_csv, table(tried))
        best = self._sweep("", "", tried).best
        self._best = None
        if best is not None:
            run = self.dir.trial(best.number).path.relative_to(self.dir.path)
            self._best = {"run": str(run), "params": dict(best.params), "metrics": dict(best.metrics)}

    def _write(self, status: str, reason: str) -> None:
        trials = [
            {"number": trial.number, "params": dict(trial.params), "overrides": list(trial.overrides)}
            for _, trial in sorted(self.trials.items())
        ]
        last = {
            "finished": None if status == "running" else now(),
            "seconds": self.seconds,
            "best": self._best,
            "trials": trials,
        }
        first = {name: self._about[name] for name in FIRST}
        fields = {**first, "status": status, "reason": reason, **self._about, **last}
        atomic.write_json(self.dir.sweep_json, fields)


def described(sweep_dir: SweepDir, about: Mapping[str, Any]) -> dict[str, Any]:
    """What sweep.json says of a sweep that begins."""
    return {"schema": SCHEMA, "name": sweep_dir.name, "id": sweep_dir.id, **about, "started": now()}
