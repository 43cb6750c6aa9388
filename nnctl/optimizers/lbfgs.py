"""Limited-memory BFGS: steps by an estimate of the curvature, each as long as a line search finds good."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from nnctl.component import component, option
from nnctl.optimizers import Array, Optimizer, OptimizerSlot, learning_rate

DECREASE, CURVATURE = 1e-4, 0.9  # the constants of the strong Wolfe conditions
GROWTH = 4.0  # from one step that was too short to the next
MARGIN = 0.1  # share of a bracket, at either end, that the next step keeps away from


class _Point(NamedTuple):
    """A place on the line: theta = start + t direction."""

    t: float
    loss: float
    slope: float  # along the line; of no meaning where the loss is not finite


@component("lbfgs", examples=[{}, {"history": 3, "max_line_search": 10}])
class Lbfgs(Optimizer):
    """L-BFGS, ``theta += t d`` with ``d = -H grad``, H the inverse curvature that the last ``history`` steps tell.

    t meets the strong Wolfe conditions: the loss falls by at least 1e-4 of what the slope promises, and the slope is
    down to 0.9 of itself. Where the search ends without, or can promise nothing above the rounding of the loss, the
    lowest point that it met is taken; where there is none, theta stays and the history is forgotten. ``lr`` is the
    first t that is tried (times 1 / |grad|_1, if that is smaller, where there is no history); 1 is the algorithm. One
    step is one epoch, and runs as a single trial, never in a stack.
    Source: Nocedal and Wright 2006, algorithms 7.4, 7.5, 3.5 and 3.6; first step as in PyTorch's ``LBFGS``.
    """

    lr: float = learning_rate(1.0)
    history: int = option(default=10, ge=1, help="Steps that the estimate of the curvature remembers.")
    max_line_search: int = option(default=20, ge=1, help="Evaluations of loss and gradient in a step, at most.")

    numbers = ("held", "newest")  # pairs in the history, and the place of the last one
    spares = ("start", "before", "direction", "part")
    elementwise = False
    stacks = False
    evaluates = True
    excludes = ("optimizer.clip", "optimizer.accumulate", "regularization.max_norm")
    reason = "searches along a line for a lower loss"

    def bind(self, s: OptimizerSlot) -> None:
        s.S, s.Y = (np.zeros((self.history, *s.theta.shape), s.dtype) for _ in range(2))  # changes of theta and grad
        s.products = np.zeros(self.history)  # of each pair of changes

    def state(self, s: OptimizerSlot) -> dict[str, Array]:
        return {**super().state(s), "S": s.S, "Y": s.Y, "products": s.products}

    def size(self) -> int:
        return super().size() + 2 * self.history

    def step(self, s: OptimizerSlot) -> None:
        if s.decays:
            s.loss = s.evaluate()  # the weights have moved since
        slope = self._direct(s)
        if slope == 0:
            return
        np.copyto(s.start, s.theta)
        np.copyto(s.before, s.grad)
        first = float(s.rate)
        if s.held == 0:
            first *= min(1.0, 1 / float(np.add.reduce(np.absolute(s.grad, s.part), dtype=np.float64)))
        origin = _Point(0.0, s.loss, slope)
        found, last = self._search(s, origin, first)
        if found is not last or found is origin:
            found = self._probe(s, found.t)
        s.loss = found.loss
        if found.t == 0:
            s.held[...] = 0
        else:
            self._remember(s)

    def _search(self, s: OptimizerSlot, origin: _Point, first: float) -> tuple[_Point, _Point]:
        """The point to accept, and the last one that was looked at.

        ``low`` is the lowest point so far that falls enough; once there is a ``high``, a good one lies between them.
        """
        low, high, here, t = origin, None, origin, first
        visible = float(np.finfo(s.dtype).eps) * abs(origin.loss)
        for _ in range(self.max_line_search):
            if -t * origin.slope < visible:
                break
            here = self._probe(s, t)
            if not (here.loss <= origin.loss + DECREASE * t * origin.slope and here.loss < low.loss):
                high = here
            elif abs(here.slope) <= -CURVATURE * origin.slope:
                return here, here
            else:
                ahead = high is None or high.t > low.t
                if here.slope >= 0 if ahead else here.slope <= 0:
                    high = low
                low = here
            t = GROWTH * t if high is None else _between(low, high)
        return low, here

    def _probe(self, s: OptimizerSlot, t: float) -> _Point:
        """Move to a point of the line and evaluate there."""
        np.multiply(s.direction, t, s.part)
        np.add(s.start, s.part, s.theta)
        loss = s.evaluate()
        return _Point(t, loss, float(np.dot(s.grad, s.direction)) if math.isfinite(loss) else math.nan)

    def _direct(self, s: OptimizerSlot) -> float:
        """Write the direction; its slope, which is negative, or 0 where the gradient is 0."""
        np.negative(s.grad, s.direction)
        held, newest = int(s.held), int(s.newest)
        if held:
            self._curve(s, [(newest - age) % self.history for age in range(held)])
            slope = float(np.dot(s.grad, s.direction))
            if -math.inf < slope < 0:
                return slope
            s.held[...] = 0
            np.negative(s.grad, s.direction)
        return float(np.dot(s.grad, s.direction))

    def _curve(self, s: OptimizerSlot, newest_first: list[int]) -> None:
        """Multiply the direction by H, from the pairs at these places: two loops over them."""
        shares = []
        for place in newest_first:
            share = float(np.dot(s.S[place], s.direction)) / s.products[place].item()
            np.multiply(s.Y[place], share, s.part)
            np.subtract(s.direction, s.part, s.direction)
            shares.append(share)
        latest = newest_first[0]
        scale = s.products[latest].item() / float(np.dot(s.Y[latest], s.Y[latest]))
        np.multiply(s.direction, scale, s.direction)
        for place, share in zip(reversed(newest_first), reversed(shares), strict=True):
            share -= float(np.dot(s.Y[place], s.direction)) / s.products[place].item()
            np.multiply(s.S[place], share, s.part)
            np.add(s.direction, s.part, s.direction)

    def _remember(self, s: OptimizerSlot) -> None:
        """Keep the changes of theta and gradient in place of the oldest pair, if they tell a positive curvature."""
        place = (int(s.newest) + 1) % self.history
        np.subtract(s.theta, s.start, s.part)
        np.subtract(s.grad, s.before, s.before)
        product = float(np.dot(s.part, s.before))
        if product > np.finfo(s.dtype).eps * float(np.dot(s.before, s.before)):
            np.copyto(s.S[place], s.part)
            np.copyto(s.Y[place], s.before)
            s.products[place] = product
            s.newest[...] = place
            s.held[...] = min(int(s.held) + 1, self.history)


def _between(low: _Point, high: _Point) -> float:
    """The next step in a bracket: the minimum of the cubic through both ends, kept away from them."""
    width = high.t - low.t
    middle = low.t + width / 2
    if not math.isfinite(high.loss + high.slope) or width == 0:
        return middle
    a = low.slope + high.slope - 3 * (high.loss - low.loss) / width
    square = a * a - low.slope * high.slope
    if square < 0:
        return middle
    b = math.copysign(math.sqrt(square), width)
    bottom = high.slope - low.slope + 2 * b
    if bottom == 0:
        return middle
    t = high.t - width * (high.slope + b - a) / bottom
    near, far = sorted((low.t + MARGIN * width, high.t - MARGIN * width))
    return min(max(t, near), far)
