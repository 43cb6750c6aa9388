"""What a training shows while it runs: nothing, a line for each evaluation, or a live display. All on stderr."""

from __future__ import annotations

import os
import sys
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

from nnctl.console import output
from nnctl.console.text import clean, count, duration, number
from nnctl.training.trainer import Epoch, Tick

if TYPE_CHECKING:
    from nnctl.running.loop import Event, Finished, FoldsStarted, Found, Started
    from nnctl.running.run import Run

Mode = Literal["auto", "bar", "plain", "none"]

FLUSH = 0.25  # seconds that a plain line may wait for


def display(mode: Mode, *, quiet: bool) -> Display:
    """The display for a mode; ``auto`` is the live one where stderr is a terminal that can move its cursor."""
    if quiet:
        return Display()
    if mode == "auto":
        mode = "bar" if can_animate() else "plain"
    if mode == "bar" and sys.stderr is not None:
        from nnctl.console.live import Live

        return Live()
    return Notes() if mode == "none" else Plain()


class Display:
    """Shows nothing, and remembers how far the run came.

    ``show`` takes every event of a training. An epoch may last 25 microseconds, so a display does nothing for one but
    keep it; it writes when it is time to.
    """

    def __init__(self) -> None:
        self.started: Started | None = None
        self.finished: Finished | None = None
        self.epoch: Epoch | None = None
        self.folds: FoldsStarted | None = None
        self.found: Found | None = None
        self._ended: list[Run] = []  # of the folds

    def show(self, event: Event) -> None:
        """Take an event in."""
        if isinstance(event, Epoch):
            self.on_epoch(event)
        else:
            self._rarer(event)

    def on_epoch(self, event: Epoch) -> None:
        self.epoch = event

    def on_tick(self, event: Tick) -> None:
        """Some time has passed inside an epoch."""

    def on_note(self, text: str) -> None:
        """There is something to say."""

    def begin(self, started: Started) -> None:
        """The run folder is there."""

    def end(self, run: Run) -> None:
        """The run is over."""

    def begin_folds(self, started: FoldsStarted) -> None:
        """The folder of a cross-validation is there; its folds begin and end as runs do."""

    def so_far(self, status: Literal["failed", "interrupted"] = "failed") -> Run | None:
        """The run; where it ended without a last word, what is known of it, with this status; None before it began."""
        last = self.finished or self.found
        if last is not None:
            return last.run
        run = self._unfinished(status)
        if self.folds is None:
            return run
        from nnctl.running.folding import folded

        return folded(self.folds.run, [*self._ended, *([run] if run else [])], status, "")

    def _unfinished(self, status: str) -> Run | None:
        """What is known of the run that has not ended."""
        from nnctl.running.run import Run

        if self.started is None:
            return None
        epoch = self.epoch
        return Run(
            path=self.started.run,
            status=status,
            reason="",
            epochs=epoch.epoch if epoch else 0,
            best_epoch=0,
            metrics={},
            seconds=epoch.seconds if epoch else 0.0,
            checkpoint=None,
        )

    def _rarer(self, event: Event) -> None:
        from nnctl.running.loop import Finished, FoldsStarted, Found, Note, Started

        if isinstance(event, Tick):
            self.on_tick(event)
        elif isinstance(event, Note):
            self.on_note(event.text)
        elif isinstance(event, Started):
            self.started, self.epoch = event, None
            self.begin(event)
        elif isinstance(event, FoldsStarted):
            self.folds = event
            self._ended = list(event.ended)
            self.begin_folds(event)
        elif isinstance(event, Finished):
            self._finish(event)
        elif isinstance(event, Found):
            self.found = event
            self.on_note(found(event.run))

    def _finish(self, event: Finished) -> None:
        if self.folds is None or len(self._ended) == self.folds.folds or self.started is None:
            self.finished = event
        else:
            self._ended.append(event.run)
        self.started = None  # it holds the rows of its run
        self.end(event.run)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the terminal as it was."""


class Notes(Display):
    """Writes the notes, and how the run ended."""

    def on_note(self, text: str) -> None:
        output.note(text)

    def begin_folds(self, started: FoldsStarted) -> None:
        output.note(opening(started))

    def end(self, run: Run) -> None:
        output.note(summary(run))


class Plain(Notes):
    """A line for each evaluation, for logs. Lines are gathered and written a few times a second."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: list[str] = []
        self._due = FLUSH

    def on_epoch(self, event: Epoch) -> None:
        self.epoch = event
        if event.values:
            values = "".join(f"  {name} {number(value)}" for name, value in event.values.items())
            self._waiting.append(f"epoch {event.epoch}/{self._epochs}{values}")
        if event.seconds >= self._due:
            self._due = event.seconds + FLUSH
            self._write()

    def on_tick(self, event: Tick) -> None:
        self._write()

    def begin(self, started: Started) -> None:
        self._epochs, self._due = started.prepared.job.epochs, FLUSH
        output.note(heading(started))

    def end(self, run: Run) -> None:
        self._write()
        super().end(run)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._write()

    def _write(self) -> None:
        if self._waiting:
            output.tell("\n".join(self._waiting))
            self._waiting.clear()


def heading(started: Started) -> str:
    """What is about to be trained, as a line."""
    prepared = started.prepared
    fold = f"{fold_of(started)}: " if started.fold else ""
    rows = ", ".join(f"{number:,} {part}" for part, number in prepared.fitted.rows.items() if number)
    after = f", going on after epoch {started.epoch}" if started.epoch else ""
    return clean(f"{fold}{started.run}: {rows} rows, {count(prepared.network.parameters, 'parameter')}{after}")


def fold_of(started: Started) -> str:
    """Which fold a run is: ``fold 2/5``; empty for a run of its own."""
    return "fold {}/{}".format(*started.fold) if started.fold else ""


def opening(started: FoldsStarted) -> str:
    """What a cross-validation is about to do, as a line."""
    return clean(f"{started.run}: {started.folds} folds")


def summary(run: Run) -> str:
    """How a run ended, as a line."""
    best = f", best epoch {run.best_epoch}" if run.best_epoch else ""
    status = run.status.replace("_", " ")
    return clean(f"{status} after {count(run.epochs, 'epoch')} in {duration(run.seconds)}{best}: {run.reason}")


def found(run: Run) -> str:
    """That there is nothing to do, as a line."""
    if run.status == "running":
        return clean(f"{run.path}: is being trained by another process; nothing was run")
    return clean(f"{run.path}: {run.status.replace('_', ' ')} earlier, by the same config and data; nothing was run")


def can_animate() -> bool:
    """Whether stderr is a terminal that can move its cursor."""
    return sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM", "") not in ("", "dumb", "unknown")
