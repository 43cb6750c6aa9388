"""The loss of one batch as a function of theta, for optimizers that ask for it more than once a step."""

from __future__ import annotations

import math
import sys

from nnctl.network.descent import Descent
from nnctl.network.members import Streams
from nnctl.network.workspace import Pass


class Objective:
    """Loss and gradient at the present theta, of a single network on the same rows with the same random numbers.

    Running statistics are those of before the step, moved by the last evaluation alone: an optimizer makes that the one
    at the point that it accepts.
    """

    def __init__(self, run: Pass, streams: Streams, descent: Descent) -> None:
        self.run, self.streams, self.descent = run, streams, descent
        self.loss = math.nan  # the sum over the rows in the last evaluation, without penalties
        self.known = False  # whether loss and gradient are those of the present theta and the next random numbers
        descent.slot.evaluate = self

    def begin(self) -> float:
        """Begin a step; the sum of the rows' losses where it starts, which may be no finite number."""
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
        """The mean loss of the rows and the penalties; the gradient of both is in the arena, if the loss is finite."""
        self.streams.state = self._drawn
        self.descent.arena.stats[...] = self._stats
        self.run.forward()
        self.loss = float(self.run.loss_sum())
        if not math.isfinite(self.loss):
            return math.inf
        self.run.backward()
        mean = self.loss / max(float(self.run.weight()), sys.float_info.min)  # no row has a weight
        if self.descent.penalties is None:
            return mean
        self.descent.penalties.add_gradient()
        return mean + self.descent.penalties.value()
