"""The live display of a training: bar, time left, the last epochs, the best so far, a sparkline of the loss."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import IO, TYPE_CHECKING, cast

from rich import live
from rich.console import Console, Group

from nnctl.console.frame import Frame
from nnctl.console.output import Enduring
from nnctl.console.progress import Display, fold_of, heading, opening, summary
from nnctl.console.tables import line
from nnctl.training.trainer import Epoch, Tick

if TYPE_CHECKING:
    from nnctl.running.loop import FoldsStarted, Started
    from nnctl.running.run import Run

PAUSE = 0.1  # seconds between two redraws, at least ...
SHARE = 30  # ... and so many times what the last one took


class Live(Display):
    """Redraws its few lines by the clock, never by the epoch."""

    def __init__(self, console: Console | None = None) -> None:
        super().__init__()
        self.console = console or Console(file=cast(IO[str], Enduring(sys.stderr)), highlight=False)
        self._due = 0.0  # seconds of training
        self._live: live.Live | None = None

    def begin(self, started: Started) -> None:
        self.on_note(heading(started))
        self._due = 0.0
        self._frame = Frame(started.prepared.job, started.prepared.experiment.train.max_time, fold_of(started))
        # Without a thread of its own, which would take the training's processor, and without a hand on our streams.
        self._live = live.Live(
            self._frame,
            console=self.console,
            auto_refresh=False,
            redirect_stdout=False,
            redirect_stderr=False,
            vertical_overflow="crop",
        )
        self._live.start(refresh=True)

    def begin_folds(self, started: FoldsStarted) -> None:
        self.on_note(opening(started))

    def on_epoch(self, event: Epoch) -> None:
        self.epoch = event
        if event.values:
            self._frame.add(event)
        if event.seconds >= self._due:
            self._redraw(event)

    def on_tick(self, event: Tick) -> None:
        self._redraw(event)

    def on_note(self, text: str) -> None:
        self.console.print(Group(line(text)), crop=False)  # rich joins bare texts, and breaks the lines of the whole

    def end(self, run: Run) -> None:
        self._frame.ended = True
        self._stop()
        self.on_note(summary(run))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _redraw(self, event: Epoch | Tick) -> None:
        assert self._live is not None
        start = time.perf_counter()
        self._frame.move_to(event)
        self._live.refresh()
        self._due = event.seconds + max(PAUSE, SHARE * (time.perf_counter() - start))

    def _stop(self) -> None:
        """Draw the last state and give the cursor back."""
        if self._live is not None:
            if self.epoch is not None and self.epoch.step > self._frame.now.step:
                self._frame.move_to(self.epoch)
            self._live.stop()
            if not self.console.is_terminal:  # there rich leaves the last line open
                self.console.line()
            self._live = None
