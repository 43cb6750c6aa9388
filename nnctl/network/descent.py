"""Descent: an optimizer at work on the vectors of a run, with what the options common to all optimizers add to it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnctl.network.arena import Arena, aligned
from nnctl.network.members import check_alike, exact_options, stacked_options
from nnctl.network.penalties import Penalties, Regularization
from nnctl.network.team import Team
from nnctl.optimizers import Clip, Optimizer, OptimizerSlot

Array = NDArray[Any]

PIECE = 2**18  # elements, 1 MB of each vector: the passes of a step over so many find them in the cache ...
LONG = 4 * PIECE  # ... which pays for vectors that do not fit as a whole


def optimizer_slot(
    optimizers: Sequence[Optimizer],
    theta: Array,
    grad: Array,
    *,
    decayed: int,
    segments: Sequence[int] = (),
    threads: int = 1,
) -> OptimizerSlot:
    """A fresh slot for the optimizer of every member (one for a single network).

    Shapes: theta, grad (*K, P); the first ``decayed`` elements are those that weight decay applies to; ``segments`` are
    the places where parameters begin and end, from 0 to P. The vectors are cut into pieces where that pays for so many
    ``threads``.
    """
    members, optimizer = theta.shape[:-1], optimizers[0]
    if members and not optimizer.stacks:
        raise ValueError(f"{optimizer.name} runs as a single trial, never in a stack")
    slot = OptimizerSlot()
    slot.theta, slot.grad, slot.decayed, slot.dtype = theta, grad, theta[..., :decayed], theta.dtype
    slot.segments = tuple(segments) or (0, theta.shape[-1])
    for name in (*optimizer.vectors, *optimizer.spares):
        setattr(slot, name, aligned(theta.shape, theta.dtype))
    for name in optimizer.numbers:
        setattr(slot, name, slot.number())
    slot.o = stacked_options(optimizers, members, 1, theta.dtype)
    slot.exact = exact_options(optimizers, members)
    optimizer.attach(slot)
    size, least = PIECE, LONG
    if threads > 1:  # as many pieces of one size for each; over small ones they would wait for the interpreter's lock
        size = -(-theta.size // (threads * max(1, round(theta.size / threads / PIECE))))
        least = threads * PIECE // 2
    if not members and optimizer.elementwise and not optimizer.numbers and theta.size >= least:
        parts = (slice(start, start + size) for start in range(0, theta.size, size))
        optimizer.split(slot, [_piece(optimizer, slot, part) for part in parts])
    return slot


def _piece(optimizer: Optimizer, whole: OptimizerSlot, part: slice) -> OptimizerSlot:
    """A slot of a stretch of the vectors: views."""
    slot = OptimizerSlot()
    slot.dtype, slot.o, slot.exact = whole.dtype, whole.o, whole.exact
    slot.theta, slot.grad, slot.decayed = whole.theta[part], whole.grad[part], whole.decayed[part]
    slot.segments = (0, slot.theta.size)
    for name in (*optimizer.vectors, *optimizer.spares):
        setattr(slot, name, getattr(whole, name)[part])
    optimizer.attach(slot)
    return slot


class Descent:
    """The way from the gradient of a batch to new weights.

    ``gather`` takes the gradient of every batch and says when a step is due; ``step`` takes it. The order is: the
    gradients of a group of batches averaged (``accumulate``), penalties, bounds on each element and then on the norm
    of what is left (``clip``), decay, the optimizer's step, ``max_norm``, the average of the weights (``ema``). What
    is not asked for costs nothing. ``weights`` is the arena that evaluation uses: its theta may be an average. The
    threads of a ``team`` take pieces of long vectors side by side.

    The average moves by ``theta_ema += (1 - decay) (theta - theta_ema)`` with ``decay = min(ema, (1 + t) / (10 + t))``
    in step t, counted from 1: a constant decay would leave ``ema^t`` of the initial weights in it.
    Source: that decay is the one of TensorFlow's ``ExponentialMovingAverage`` with ``num_updates = t``.
    """

    def __init__(
        self,
        optimizers: Sequence[Optimizer],
        arena: Arena,
        regularizations: Sequence[Regularization] = (),
        team: Team | None = None,
    ) -> None:
        for variants in (optimizers, regularizations):
            if variants:
                check_alike(variants)
        self.optimizer, self.arena, self.weights = optimizers[0], arena, arena
        ends = (0, *(segment.stop for segment in arena.parameters))
        decayed, threads = arena.decayed.shape[-1], 1 if team is None else team.threads
        self.slot = optimizer_slot(optimizers, arena.theta, arena.grad, decayed=decayed, segments=ends, threads=threads)
        if team is not None:
            self.slot.run = team.run
        self.held = 0  # batches of the group that is gathered
        self._kept: dict[str, Array] = {}  # state beside that of the optimizer
        self._before: list[Callable[[], None]] = []
        self._after: list[Callable[[], None]] = []
        if self.optimizer.accumulate > 1:
            self._kept = {"sum": arena.vector(), "weight": self.slot.number()}
            self._weight = self.slot.scalar()
        self.penalties = self._penalise(regularizations)
        self._clip([optimizer.clip for optimizer in optimizers])
        self._average(optimizers)

    def gather(self, weight: Any, *, last: bool) -> bool:
        """Take the gradient of a batch with the weight of its rows; whether a step is due.

        ``weight`` is the number of rows or the sum of their weights, in a stack also one for each member, (K,). The
        last batch of an epoch ends a group, however short.
        """
        if not self._kept:
            return True
        grad = self.arena.grad
        self._weight[...] = weight if np.ndim(weight) == 0 else weight[:, None]
        np.add(self._kept["weight"], self._weight, self._kept["weight"])
        np.multiply(grad, self._weight, grad)
        np.add(self._kept["sum"], grad, self._kept["sum"])
        self.held += 1
        return (self.held == self.optimizer.accumulate or last) and self.close()

    def close(self) -> bool:
        """End the group of batches that is open, however short; whether there is one, whose step is due."""
        if not self.held:
            return False
        grad, total, weights = self.arena.grad, self._kept["sum"], self._kept["weight"]
        np.maximum(weights, np.finfo(grad.dtype).tiny, out=self._weight, casting="same_kind")  # no row has a weight
        np.divide(total, self._weight, grad)
        total.fill(0)
        weights.fill(0)
        self.held = 0
        return True

    def step(self, factor: float) -> None:
        """Take a step at the schedule's factor, once the gradient is that of a whole group."""
        for run in self._before:
            run()
        self.optimizer.advance(self.slot, factor)
        for run in self._after:
            run()

    def vectors(self) -> dict[str, Array]:
        """What beside the evaluated weights decides about all steps to come: the arrays themselves, by name."""
        state = self.optimizer.state(self.slot)
        named = {f"optimizer.{name}": array for name, array in state.items() if name != self.optimizer.averaged}
        if self.weights is not self.arena:
            named["descent.theta"] = self.arena.theta
        return named | {f"descent.{name}": array for name, array in self._kept.items()}

    def restore(self, vectors: Mapping[str, Array], *, step: int, held: int) -> None:
        """Go on from what another descent had, once its evaluated weights are in place."""
        for name, array in self.vectors().items():
            np.copyto(array, vectors[name])
        self.slot.t, self.held = step, held

    def join(self, stack: Descent, member: int) -> None:
        """Take state and averaged weights into a stack's: from now on these are views of a member's rows.

        Its steps are those of the stack, which keeps ``slot.t``, ``slot.rate`` and ``held`` of its members up to date.
        """
        state = self.optimizer.state(self.slot)
        rows = self.optimizer.state(stack.slot)
        self._place(
            {name: rows[name][member].reshape(own.shape) for name, own in state.items()},
            {name: stack._kept[name][member].reshape(own.shape) for name, own in self._kept.items()},
        )
        if self.weights is not self.arena:
            self.weights.join(stack.weights, member)

    def leave(self) -> None:
        """Leave a stack, whose rows move on, with a copy of what is there now."""
        own = {name: np.empty_like(array) for name, array in self.optimizer.state(self.slot).items()}
        self._place(own, {name: np.empty_like(array) for name, array in self._kept.items()})
        if self.weights is not self.arena:
            self.weights.leave()
            self.weights.stats = self.arena.stats

    def _place(self, state: Mapping[str, Array], kept: Mapping[str, Array]) -> None:
        """Lay the state of the optimizer, and what is kept beside it, into other arrays."""
        for name, array in state.items():
            array[...] = getattr(self.slot, name)
            setattr(self.slot, name, array)
        for name, array in kept.items():
            array[...] = self._kept[name]
            self._kept[name] = array

    def begin_anew(self) -> None:
        """Forget all but the weights, as they are now: the steps to come are those of a fresh descent from them."""
        for array in (*self.optimizer.state(self.slot).values(), *self._kept.values()):
            array.fill(0)
        self.optimizer.bind(self.slot)
        self.slot.t = self.held = 0
        if self.weights is not self.arena:
            np.copyto(self.weights.theta, self.arena.theta)

    def _penalise(self, regularizations: Sequence[Regularization]) -> Penalties | None:
        """Penalties before the step, the bound after it; an optimizer that evaluates gets them with its loss."""
        if not regularizations:
            return None
        penalties = Penalties(
            regularizations, self.arena, [getattr(self.slot, name) for name in self.optimizer.bounded]
        )
        if penalties.adds and not self.optimizer.evaluates:
            self._before.append(penalties.add_gradient)
        if penalties.bounds:
            self._after.append(partial(self.optimizer.bound, self.slot, penalties.bound))
        return penalties if penalties.adds or penalties.bounds else None

    def _clip(self, clips: Sequence[Clip]) -> None:
        o = stacked_options(clips, self.arena.members, 1, self.arena.dtype)
        grad = self.arena.grad
        if o.value is not None:
            least = -o.value

            def clip_value() -> None:
                np.minimum(grad, o.value, out=grad)
                np.maximum(grad, least, out=grad)

            self._before.append(clip_value)
        if o.norm is not None:
            norm = np.zeros((*self.arena.members, 1), grad.dtype)
            squares = norm[..., 0]
            most = np.minimum(o.norm, np.finfo(grad.dtype).max)[...]  # no infinity, whose quotients are no numbers
            stacked = bool(self.arena.members)

            def clip_norm() -> None:
                np.vecdot(grad, grad, squares)
                if not (np.isfinite(squares).all() if stacked else math.isfinite(squares)):
                    _clip_huge(grad, most)
                    return
                np.sqrt(norm, norm)
                np.maximum(norm, most, out=norm)
                np.divide(most, norm, norm)  # exactly 1 up to the bound
                np.multiply(grad, norm, grad)

            self._before.append(clip_norm)

    def _average(self, optimizers: Sequence[Optimizer]) -> None:
        """The averaged weights: those of ``ema``, or those that the optimizer keeps by itself."""
        if self.optimizer.averaged is not None:
            self.weights = self.arena.beside(getattr(self.slot, self.optimizer.averaged))
        ema = self.slot.exact.ema
        if ema is None:
            return
        theta, grad, average = self.arena.theta, self.arena.grad, self.arena.theta.copy()
        share, members = self.slot.scalar(), bool(self.arena.members)

        def follow() -> None:
            early = (1 + self.slot.t) / (10 + self.slot.t)
            share[...] = 1 - (np.minimum(ema, early) if members else min(ema, early))
            np.subtract(theta, average, grad)  # the gradient has served
            np.multiply(grad, share, grad)
            np.add(average, grad, average)

        self.weights = self.arena.beside(average)
        self._after.append(follow)


def _clip_huge(grad: Array, most: Array) -> None:
    """Bound the norm of a gradient whose squares are too large to add up: each member's in units of its largest."""
    size = np.maximum(np.max(grad, -1, keepdims=True), -np.min(grad, -1, keepdims=True))
    np.maximum(size, np.finfo(grad.dtype).tiny, out=size)
    np.divide(grad, size, grad)
    norm = np.sqrt(np.vecdot(grad, grad)[..., None])
    np.divide(most, np.maximum(norm, 1), norm)  # a member without a gradient has the norm 0
    np.multiply(grad, np.minimum(size, norm), grad)
