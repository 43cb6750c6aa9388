"""A trial: one setting of the keys that a sweep varies, trained as a run of its own."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

Goal = Literal["minimize", "maximize"]

SEED = "seed"  # the key that sets trials of one setting apart


@dataclass(frozen=True, slots=True)
class Trial:
    """What is tried; ``overrides`` are the words after ``nnctl train CONFIG`` that train it alone."""

    number: int  # from 1; its run folder is trials/0001
    params: Mapping[str, Any]  # every varied key, as it was written, and its value; `seed` where seeds vary
    overrides: tuple[str, ...]


class Order(NamedTuple):
    """That a trial is to be trained: to its end, or until it waits for a decision, or not any further."""

    trial: Trial
    until: int | None = None  # the epoch after which it waits, its state saved
    drop: str = ""  # why it ends where it stands


class Criterion(NamedTuple):
    """What decides which trial is the better one."""

    metric: str
    goal: Goal
    early: bool = False  # whether it decides during training, too: then by metrics.csv alone


class Outcome(NamedTuple):
    """Where a trial stands, for a search that decides by it."""

    status: Literal["waiting", "completed", "early_stopped", "diverged", "failed"]
    value: float  # of the metric that decides, the best so far; of one that has ended, its result; nan: there is none
    epochs: int
    curve: tuple[tuple[int, float], ...] = ()  # evaluated epochs, and the best value up to each, as metrics.csv has it

    def at(self, epoch: int) -> float:
        """The best value up to an epoch, the same before the trial ends and after; nan where there is none.

        One that diverged or failed before an epoch has none there.
        """
        if self.status in ("diverged", "failed") and not (self.curve and self.curve[-1][0] >= epoch):
            return math.nan
        return next((value for at, value in reversed(self.curve) if at <= epoch), math.nan)
