"""A trial as the coordinator of a sweep sees it: where it stands, and what a search can decide by."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

from nnctl.running.run import FINISHED
from nnctl.running.stack_members import WAITING
from nnctl.runs.sweep_dir import SweepDir
from nnctl.sweeps.checking import Checked
from nnctl.sweeps.result import Tried
from nnctl.sweeps.standing import curve_of, stands
from nnctl.sweeps.trial import Criterion, Order, Outcome, Trial

RESULT = ("status", "reason", "epochs", "best_epoch", "seconds")
Ended = Literal["completed", "early_stopped", "diverged"]


@dataclass(slots=True)
class State:
    """Where a trial stands."""

    trial: Trial
    tried: Tried
    checked: Checked | None = None
    outcome: Outcome | None = None  # None as long as there is nothing to decide by
    failures: int = 0  # its own, and those of its workers
    epochs: int = 0  # trained so far

    @classmethod
    def of(cls, trial: Trial, sweep_dir: SweepDir, criterion: Criterion) -> State:
        """As its folder shows it."""
        state = cls(trial, stands(sweep_dir, trial))
        state._judge(sweep_dir, criterion)
        return state

    @property
    def ended(self) -> bool:
        """Whether it has a result, or has failed for good."""
        return self.outcome is not None and self.outcome.status != WAITING

    @property
    def planned(self) -> int | None:
        """Epochs that are at most trained, with those that were; None for what could not be checked yet."""
        if self.ended:
            return self.tried.epochs
        return None if self.checked is None else self.checked.epochs

    def is_open(self, order: Order) -> bool:
        """Whether there is something left to do for an order."""
        if self.ended:
            return False
        waits = self.outcome is not None and order.until is not None and not order.drop
        return not (waits and self.tried.epochs >= (order.until or 0))

    def take(self, sweep_dir: SweepDir, criterion: Criterion, result: Mapping[str, Any] | None = None) -> None:
        """Take in where it stands: its folder says it, and the result of its task what no folder does."""
        self.tried = stands(sweep_dir, self.trial)
        if result is not None and self.tried.status not in FINISHED:
            self.tried = replace(self.tried, **{name: result[name] for name in RESULT})
        self._judge(sweep_dir, criterion)

    def give_up(self, reason: str) -> None:
        """It has failed, and is not tried again."""
        self.tried = replace(self.tried, status="failed", reason=reason)
        curve = self.outcome.curve if self.outcome is not None else ()
        self.outcome = Outcome("failed", math.nan, self.tried.epochs, curve)

    def _judge(self, sweep_dir: SweepDir, criterion: Criterion) -> None:
        tried = self.tried
        self.epochs = max(self.epochs, tried.epochs)
        if tried.status in FINISHED:
            value = tried.metrics.get(criterion.metric, math.nan)
            curve = curve_of(sweep_dir.trial(tried.number), criterion) if criterion.early else ()
            self.outcome = Outcome(cast(Ended, tried.status), value, tried.epochs, curve)
        elif tried.status == WAITING and tried.epochs:
            curve = curve_of(sweep_dir.trial(tried.number), criterion)
            self.outcome = Outcome("waiting", curve[-1][1] if curve else math.nan, tried.epochs, curve)
