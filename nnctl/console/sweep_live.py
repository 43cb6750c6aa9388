"""The live display of a sweep: a bar over its trials, time left, the best trials; failures are told at once above."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import IO, cast

from rich import live
from rich.console import Console, Group

from nnctl.console.output import Enduring
from nnctl.console.sweep_frame import SweepFrame
from nnctl.console.sweep_progress import SweepDisplay, endings, failure, heading
from nnctl.console.tables import line
from nnctl.sweeps.events import SweepStarted, Working
from nnctl.sweeps.result import Sweep, Tried

PAUSE = 0.1  # seconds between two redraws, at least


class SweepLive(SweepDisplay):
    """Redraws its few lines by the clock, never by the trial."""

    def __init__(self, console: Console | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(clock)
        self.console = console or Console(file=cast(IO[str], Enduring(sys.stderr)), highlight=False)
        self._due = 0.0
        self._frame: SweepFrame | None = None
        self._live: live.Live | None = None

    def on_note(self, text: str) -> None:
        self.console.print(Group(line(text)), crop=False)

    def begin(self, started: SweepStarted) -> None:
        self.on_note(heading(started))
        self._due = self._start
        self._frame = SweepFrame(started)
        # Without a thread of its own, and without a hand on our streams.
        self._live = live.Live(
            self._frame,
            console=self.console,
            auto_refresh=False,
            redirect_stdout=False,
            redirect_stderr=False,
            vertical_overflow="crop",
        )
        self._live.start()
        self._redraw()

    def on_trial(self, trial: Tried) -> None:
        if self.is_new(trial):
            self.on_note(failure(trial))
        self._redraw()

    def on_working(self, event: Working) -> None:
        self._redraw()

    def end(self, sweep: Sweep) -> None:
        self._stop(over=True)
        for text in endings(sweep):
            self.on_note(text)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _redraw(self) -> None:
        now = self._clock()
        if self._live is None or self._frame is None or now < self._due:
            return
        self._frame.move_to(self.ended, self.working, now - self._start)
        self._live.refresh()
        self._due = now + PAUSE

    def _stop(self, *, over: bool = False) -> None:
        """Draw the last state and give the cursor back."""
        if self._live is not None and self._frame is not None:
            self._frame.over = over
            self._frame.move_to(self.ended, self.working, self._clock() - self._start)
            self._live.stop()
            if not self.console.is_terminal:  # there rich leaves the last line open
                self.console.line()
            self._live = None
