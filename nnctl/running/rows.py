"""The rows of metrics.csv, from the epochs of a run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nnctl.runs.logs import MetricsLog
from nnctl.training.events import Epoch
from nnctl.training.job import Job
from nnctl.training.waiting import Values

MOST = 1000  # epochs that wait


class Rows:
    """Writes a row for every evaluated epoch; ``last`` is the last that is written, ``best`` that of the best epoch.

    Epochs wait until the log is due: the values of many together cost less than one by one. ``state`` and ``upto`` are
    what ``state`` and ``offset`` gave, for a run that goes on.
    """

    def __init__(self, path: Path, job: Job, state: Mapping[str, Any], upto: tuple[int, int] | None) -> None:
        self._values = job.columns
        self._log = MetricsLog(path, columns_of(job), upto)
        self.last: dict[str, Any] = state.get("last_row", {})
        self.best: dict[str, Any] = state.get("best_row", {})
        self._waiting: list[Epoch] = []

    def add(self, event: Epoch) -> None:
        """Take an epoch that has been evaluated."""
        self._waiting.append(event)
        if len(self._waiting) == MOST:
            self.write()

    def flush_if_due(self) -> None:
        """Write and hand to the system what waits, if it is time."""
        if self._log.due:
            self.write()
            self._log.flush()

    def offset(self) -> tuple[int, int]:
        """Bytes and rows so far, once all of them are on the disk: what a checkpoint may count on."""
        self.write()
        return self._log.offset()

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps of the rows, all of which are written."""
        return {"last_row": self.last, "best_row": self.best}

    def close(self) -> None:
        try:
            self.write()
        finally:
            self._log.close()

    def write(self) -> None:
        """Write the rows of the epochs that wait; then ``last`` and ``best`` are up to date."""
        waiting, self._waiting = self._waiting, []
        last = best = None
        for event in waiting:
            values = event.values.known() if isinstance(event.values, Values) else event.values
            last = [event.epoch, event.step, event.lr, event.seconds, *(values[name] for name in self._values)]
            self._log.add(last)
            if event.improved:
                best = last
        header = self._log.header
        self.last = self.last if last is None else dict(zip(header, last, strict=True))
        self.best = self.best if best is None else dict(zip(header, best, strict=True))


def columns_of(job: Job) -> list[str]:
    """The header of metrics.csv."""
    return ["epoch", "step", "lr", "seconds", *job.columns]
