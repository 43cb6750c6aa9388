"""What a training shows while it runs: nothing, a line for each evaluation, or a live display. All on stderr."""

from __future__ import annotations

import os
import sys
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

from nnctl.console import output
from nnctl.console.text import clean, count, duration, number
from nnctl.trainer import Epoch, Tick

if TYPE_CHECKING:
    from nnctl.experiment import Event, Finished, Started
    from nnctl.recording import Run

Mode = Literal["auto", "bar", "plain", "none"]

FLUSH = 0.25  # seconds that a plain line may wait for


def display(mode: Mode, *, quiet: bool) -> Display:
    """The display for a mode; ``auto`` is the live one where stderr is a terminal that can move its cursor."""
    if quiet:
        return Display()
    if mode == "auto":
        mode = "bar" if _can_animate() else "plain"
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

    def so_far(self) -> Run | None:
        """The run; where an error ended it without a last word, what is known of it; None before it began."""
        from nnctl.recording import Run

        if self.finished is not None:
            return self.finished.run
        if self.started is None:
            return None
        epoch = self.epoch
        return Run(
            path=self.started.run,
            status="failed",
            reason="",
            epochs=epoch.epoch if epoch else 0,
            best_epoch=0,
            metrics={},
            seconds=epoch.seconds if epoch else 0.0,
            checkpoint=None,
        )

    def _rarer(self, event: Event) -> None:
        from nnctl.experiment import Finished, Note, Started

        if isinstance(event, Tick):
            self.on_tick(event)
        elif isinstance(event, Note):
            self.on_note(event.text)
        elif isinstance(event, Started):
            self.started = event
            self.begin(event)
        elif isinstance(event, Finished):
            self.finished = event
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
        self._epochs = started.prepared.job.epochs
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
    rows = ", ".join(f"{number:,} {part}" for part, number in prepared.fitted.rows.items() if number)
    return clean(f"{started.run}: {rows} rows, {count(prepared.network.parameters, 'parameter')}")


def summary(run: Run) -> str:
    """How a run ended, as a line."""
    best = f", best epoch {run.best_epoch}" if run.best_epoch else ""
    status = run.status.replace("_", " ")
    return clean(f"{status} after {count(run.epochs, 'epoch')} in {duration(run.seconds)}{best}: {run.reason}")


def _can_animate() -> bool:
    return sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM", "") not in ("", "dumb", "unknown")
