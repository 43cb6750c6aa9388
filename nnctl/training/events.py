"""What a trainer tells while it trains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple


class Stop(NamedTuple):
    """How training ended."""

    status: Literal["completed", "early_stopped", "diverged"]
    reason: str


class Epoch(NamedTuple):
    """An epoch has ended. ``values`` is empty where it was not evaluated."""

    epoch: int  # from 1
    step: int  # optimizer steps so far
    lr: float  # of the last step so far; before any, of the first
    seconds: float  # of training so far
    values: Mapping[str, float]
    improved: bool
    stop: Stop | None


class Tick(NamedTuple):
    """Some time has passed inside an epoch or its evaluation, or so many steps are done that a save is due."""

    epoch: int  # the one that runs, from 1
    step: int
    seconds: float
    save: bool = False  # whether the number of steps has just become a multiple of the job's `save_steps`


class Fault(NamedTuple):
    """A loss or a gradient was not finite, and training goes on, or ends with that."""

    epoch: int  # from 1
    batch: int  # from 1; 0: in the evaluation after the epoch
    step: int  # optimizer steps before
    bad: Literal["loss", "gradient"]
    answer: str = ""  # what was done about it

    @property
    def told(self) -> str:
        """What happened, and where."""
        place = f"in epoch {self.epoch}, batch {self.batch}" if self.batch else f"after epoch {self.epoch}"
        what = "loss is no longer a finite number" if self.bad == "loss" else "gradient is no longer finite"
        return f"the {what} {place}"
