"""What a sweep shows while it runs: nothing, a line for each trial that ends, or a live table. All on stderr."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Self

from nnctl.console import output
from nnctl.console.progress import Mode, can_animate
from nnctl.console.sweep_names import assignments
from nnctl.console.text import clean, count, duration, number
from nnctl.running.loop import Note
from nnctl.sweeps.events import SweepFinished, SweepStarted, TrialEnded, TrialsAdded, Working
from nnctl.sweeps.reasons import alike, named
from nnctl.sweeps.result import CAME_TO_NOTHING, Sweep, Tried

SweepEvent = SweepStarted | Note | TrialEnded | TrialsAdded | Working | SweepFinished

MOST_NAMED = 5  # trials that came to nothing, of each kind


def sweep_display(mode: Mode, *, quiet: bool) -> SweepDisplay:
    """The display for a mode; ``auto`` is the live one where stderr is a terminal that can move its cursor."""
    if quiet:
        return SweepDisplay()
    if mode == "auto":
        mode = "bar" if can_animate() else "plain"
    if mode == "bar" and sys.stderr is not None:
        from nnctl.console.sweep_live import SweepLive

        return SweepLive()
    return SweepNotes() if mode == "none" else SweepPlain()


class SweepDisplay:
    """Shows nothing, and remembers how far the sweep came; ``show`` takes every event."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._start = clock, 0.0
        self._reasons: set[str] = set()  # why trials have failed
        self._known: dict[int, Tried] = {}  # by the number of the trial, as it stood when it became known
        self.started: SweepStarted | None = None
        self.finished: SweepFinished | None = None
        self.ended: dict[int, Tried] = {}  # by the number of the trial
        self.working = Working(0, 0, 0)

    def show(self, event: SweepEvent) -> None:
        """Take an event in."""
        if isinstance(event, SweepStarted):
            self.started, self._start = event, self._clock()
            self._known = {trial.number: trial for trial in event.known}
            self.ended = {trial.number: trial for trial in event.ended}
            self.begin(event)
        elif isinstance(event, TrialsAdded):
            self._known |= {trial.number: trial for trial in event.trials}
        elif isinstance(event, TrialEnded):
            self.ended[event.trial.number] = event.trial
            self.on_trial(event.trial)
        elif isinstance(event, Working):
            self.working = event
            self.on_working(event)
        elif isinstance(event, SweepFinished):
            self.finished = event
            self.end(event.sweep)
        else:
            self.on_note(event.text)

    def is_new(self, trial: Tried) -> bool:
        """Whether a trial has failed for a reason that no other has failed for before."""
        reason = alike(trial.reason)
        new = trial.status == "failed" and reason not in self._reasons
        self._reasons |= {reason} if new else set()
        return new

    def on_note(self, text: str) -> None:
        """There is something to say."""

    def begin(self, started: SweepStarted) -> None:
        """The sweep folder is there."""

    def on_trial(self, trial: Tried) -> None:
        """A trial has ended."""

    def on_working(self, event: Working) -> None:
        """Some time has passed."""

    def end(self, sweep: Sweep) -> None:
        """The sweep is over."""

    def so_far(self, status: str = "failed") -> Sweep | None:
        """The sweep; where it ended without a last word, what is known of it, in this status; None before it began."""
        if self.finished is not None:
            return self.finished.sweep
        if self.started is None:
            return None
        trials = tuple(trial for _, trial in sorted((self._known | self.ended).items()))
        started = self.started
        seconds = started.seconds + self._clock() - self._start
        return Sweep(started.path, status, "", started.metric, started.goal, trials, seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the terminal as it was."""


class SweepNotes(SweepDisplay):
    """Writes the notes, the trials that failed, and how the sweep ended."""

    def on_note(self, text: str) -> None:
        output.note(text)

    def on_trial(self, trial: Tried) -> None:
        if self.is_new(trial):
            output.note(failure(trial))

    def end(self, sweep: Sweep) -> None:
        output.notes(endings(sweep))


class SweepPlain(SweepNotes):
    """A line for each trial that ends, for logs."""

    def begin(self, started: SweepStarted) -> None:
        output.note(heading(started))

    def on_trial(self, trial: Tried) -> None:
        assert self.started is not None, "a trial ended before the sweep began"
        again = trial.status == "failed" and not self.is_new(trial)
        text = f"trial {trial.number} failed like one before" if again else told(trial, self.started.metric)
        output.note(f"[{len(self.ended)}/{self.started.total}] {text}")


def heading(started: SweepStarted) -> str:
    """What is about to be tried, as a line."""
    keys = f" over {', '.join(started.params)}" if started.params else ""
    before = f"; {len(started.ended)} of them ended earlier" if started.ended else ""
    return clean(f"{started.path}: {count(started.total, 'trial')} to {started.goal} {started.metric}{keys}{before}")


def told(trial: Tried, metric: str) -> str:
    """A trial that has ended, as a line."""
    if trial.status == "failed":
        return failure(trial)
    value = f", {metric} {number(trial.metrics[metric])}" if metric in trial.metrics else ""
    reason = f": {trial.reason}" if trial.status == "diverged" and trial.reason else ""
    ended = f"{trial.status.replace('_', ' ')} after {count(trial.epochs, 'epoch')}{value}{reason}"
    return clean(f"trial {trial.number}  {assignments(trial.params)}  {ended}")


def failure(trial: Tried) -> str:
    """A trial that has failed, as a line."""
    return clean(f"trial {trial.number} failed: {trial.reason or 'see log.txt'}  {assignments(trial.params)}")


def endings(sweep: Sweep) -> Iterator[str]:
    """How a sweep ended, and the trials that came to nothing, as lines."""
    found = Counter(trial.status.replace("_", " ") for trial in sweep.trials)
    trials = ", ".join(f"{often:,} {status}" for status, often in found.most_common())
    why = f": {sweep.reason}" if sweep.reason else ""
    yield clean(f"{sweep.status} in {duration(sweep.seconds)}, {count(len(sweep.trials), 'trial')} ({trials}){why}")
    for status in CAME_TO_NOTHING:
        yield from _named([trial for trial in sweep.trials if trial.status == status])


def first_failure(sweep: Sweep) -> str:
    """The first trial that has failed, and why, and where the others are found."""
    failed = [trial for trial in sweep.trials if trial.status == "failed"]
    return f"trial {failed[0].number}: {failed[0].reason} (see {sweep.path}/log.txt)" if failed else "see log.txt"


def _named(trials: Sequence[Tried]) -> Iterator[str]:
    groups: dict[object, list[Tried]] = {}
    for trial in trials:
        groups.setdefault(alike(trial.reason) if trial.status == "failed" else trial.number, []).append(trial)
    for group in [*groups.values()][:MOST_NAMED]:
        yield _of_one_reason(group)
    more = sum(map(len, [*groups.values()][MOST_NAMED:]))
    if more:
        yield f"{more:,} more {trials[0].status}, see trials.csv"


def _of_one_reason(trials: Sequence[Tried]) -> str:
    first = trials[0]
    if len(trials) > 1:
        return f"{named([trial.number for trial in trials])} {first.status}: {alike(first.reason)}"
    reason = f": {first.reason}" if first.reason else ""
    return f"{first.path or f'trial {first.number}'} {first.status}{reason}  {assignments(first.params)}"
