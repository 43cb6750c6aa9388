"""What a sweep tells while it runs."""

from __future__ import annotations

from typing import NamedTuple

from nnctl.sweeps.result import Sweep, Tried
from nnctl.sweeps.trial import Goal


class SweepStarted(NamedTuple):
    """The sweep folder is made, or found again."""

    path: str  # as seen from the current folder
    total: int  # trials
    metric: str
    goal: Goal
    params: tuple[str, ...]  # the varied keys
    ended: tuple[Tried, ...]  # trials that have ended earlier
    known: tuple[Tried, ...] = ()  # all that are known, as they stand
    seconds: float = 0.0  # on the clock, of earlier starts


class TrialsAdded(NamedTuple):
    """The search has come to more trials."""

    trials: tuple[Tried, ...]


class TrialEnded(NamedTuple):
    """A trial has its result."""

    trial: Tried


class Working(NamedTuple):
    """Some time has passed."""

    running: int  # trials that are being trained
    epochs: int  # trained so far, of all trials
    planned: int  # at most to be trained, of all trials


class SweepFinished(NamedTuple):
    """The sweep has ended; ``signal`` is the number of the signal that ended it."""

    sweep: Sweep
    signal: int | None
