"""The loss of one batch as a function of theta, for optimizers that ask for it more than once a step."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Literal

from nnctl.network.descent import Descent
from nnctl.network.members import Streams
from nnctl.network.shards import ShardedPass
from nnctl.network.workspace import Pass


class Objective:
    """Loss and gradient at the present theta, of a single network on the same rows with the same random numbers.

    Running statistics are those of before the step, moved by the last evaluation alone: an optimizer makes that the one
    at the point that it accepts. ``finite`` tells whether the gradient that was computed last is.
    """

    def __init__(self, run: Pass | ShardedPass, streams: Streams, descent: Descent, finite: Callable[[], bool]) -> None:
        self.run, self.streams, self.descent = run, streams, descent
        self.loss = math.nan  # the sum over the rows in the last evaluation, without penalties
        self.bad: Literal["", "loss", "gradient"] = ""  # what was not finite in the last evaluation
        self._finite = finite
        self.known = False  # whether loss and gradient are those of the present theta and the next random numbers
        descent.slot.evaluate = self

    def begin(self) -> float:
        """Begin a step; the sum of the rows' losses where it starts: of no use where something is ``bad``."""
        self._drawn, self._stats = self.streams.state, self.descent.arena.stats.copy()
        if not self.known:
            self.descent.slot.loss = self()
        return self.loss

    def step(self, factor: float) -> None:
        """Let the optimizer move at the schedule's factor."""
        self.descent.step(factor)
        # An average uses the gradient up.
        self.known = self.streams.state == self._drawn and self.descent.optimizer.ema is None

    def __call__(self) -> float:
        """The mean loss of the rows and the penalties; the gradient of both is in the arena, if nothing is ``bad``.

        A loss without a finite gradient is infinite, too: no step can start from there.
        """
        self.streams.state = self._drawn
        self.descent.arena.stats[...] = self._stats
        self.run.forward()
        self.loss = float(self.run.loss_sum())
        self.bad = "" if math.isfinite(self.loss) else "loss"
        if self.bad:
            return math.inf
        self.run.backward()
        if not self._finite():
            self.bad = "gradient"
            return math.inf
        mean = self.loss / max(float(self.run.weight()), sys.float_info.min)  # no row has a weight
        if self.descent.penalties is None:
            return mean
        self.descent.penalties.add_gradient()
        return mean + self.descent.penalties.value()
