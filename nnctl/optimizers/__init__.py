"""Optimizers: a handful of whole-vector operations on theta and its gradient.

An optimizer never sees a layer. It names the vectors it wants beside theta and grad; the slot holds them, one row
for every member. Its options that may differ between members are read from the slot, ready to broadcast.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from nnctl.component import Component, option, section

Array = NDArray[Any]


def learning_rate(default: float) -> Any:
    """The option ``lr`` with an optimizer's own default."""
    return option(default=default, gt=0, stack=True, help="Learning rate, before the schedule's factor.")


def beta1(default: float = 0.9) -> Any:
    """The option ``beta1`` of Adam and its relatives."""
    return option(default=default, ge=0, lt=1, stack=True, help="Decay of the average of the gradient, 0-1.")


def beta2(default: float = 0.999) -> Any:
    """The option ``beta2`` of Adam and its relatives."""
    return option(default=default, ge=0, lt=1, stack=True, help="Decay of the average of its square, 0-1.")


def epsilon(default: float = 1e-8) -> Any:
    """The option ``eps`` of those that divide by the root of an averaged square."""
    return option(default=default, gt=0, stack=True, help="Added to the root of the averaged square.")


@section
class Clip:
    """Bounds on the gradient before the optimizer sees it: on its elements, then on the norm of what is left."""

    norm: float | None = option(
        default=None, gt=0, stack=True, null=math.inf, help="Largest Euclidean norm of the gradient."
    )
    value: float | None = option(
        default=None, gt=0, stack=True, null=math.inf, help="Largest size of a gradient's element."
    )


def one_by_one(moves: Iterable[Callable[[], None]]) -> None:
    """Make moves in order."""
    for move in moves:
        move()


class OptimizerSlot:
    """Everything an optimizer may touch.

    Shapes: theta, grad and the optimizer's own vectors (*K, P); options in ``o`` 0-d, or (K, 1) in a stack. The
    gradient may be used as scratch: the next backward pass writes it anew.
    """

    theta: Array
    grad: Array
    decayed: Array  # the part of theta that weight decay applies to (a view)
    t: int  # steps taken, this one included
    rate: Any  # this step's learning rate in float64: the option times the schedule's factor
    o: SimpleNamespace  # options that may differ between members, in the arena's dtype
    exact: SimpleNamespace  # the same in float64 (Python floats for one network), for what is computed once a step
    dtype: np.dtype[Any]
    segments: tuple[int, ...]  # where parameters begin and end: 0, ..., P
    pieces: tuple[OptimizerSlot, ...]  # of long vectors: slots of stretches of them, to be moved each by itself
    tasks: list[Callable[[], None]]  # those moves
    run: Callable[[list[Callable[[], None]]], None]  # makes them, side by side where there are threads for it

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...
        def __setattr__(self, name: str, value: Any) -> None: ...

    def scalar(self, value: Any = 0) -> Array:
        """A number for every member in the arena's dtype: 0-d, or (K, 1) in a stack."""
        return self._number(value, self.dtype)

    def number(self, value: Any = 0) -> Array:
        """The same in float64, for what is computed once a step."""
        return self._number(value, np.float64)

    def _number(self, value: Any, dtype: Any) -> Array:
        return np.full((*self.theta.shape[:-1], 1) if self.theta.ndim > 1 else (), value, dtype)


@section
class Optimizer(Component):
    """A rule that moves theta along the gradient. Subclasses say ``step``; ``advance`` is what the trainer calls."""

    lr: float = learning_rate(0.001)
    weight_decay: float = option(
        default=0.0, ge=0, stack=True, help="Decoupled decay, theta -= lr weight_decay theta; weights only."
    )
    clip: Clip = option(default_factory=Clip, help="Bounds on the gradient.")
    accumulate: int = option(default=1, ge=1, help="Batches whose gradients are averaged for a step, by their rows.")
    ema: float | None = option(
        default=None,
        gt=0,
        lt=1,
        stack=True,
        null=0.0,
        help="Decay of the averaged weights that evaluation uses: in step t the lesser of it and (1 + t) / (10 + t).",
    )

    kind = "optimizers"
    vectors: ClassVar[tuple[str, ...]] = ()  # its state beside theta: zeros at the start, kept in checkpoints
    numbers: ClassVar[tuple[str, ...]] = ()  # further state: one number for every member, in float64
    spares: ClassVar[tuple[str, ...]] = ()  # working vectors: nothing in them survives a step
    elementwise: ClassVar[bool] = True  # whether an element of theta moves by its own gradient alone
    stacks: ClassVar[bool] = True  # whether it moves the members of a stack each in its own way
    evaluates: ClassVar[bool] = (
        False  # whether it asks for ``s.evaluate()``, the loss and gradient at the present theta
    )
    averaged: ClassVar[str | None] = None  # the vector that evaluation uses in place of theta
    excludes: ClassVar[tuple[str, ...]] = ()  # keys that make no sense beside it ...
    reason: ClassVar[str] = ""  # ... because the optimizer does this
    scheduled: ClassVar[bool] = True  # whether a schedule beyond its warmup makes sense beside it
    bounded: ClassVar[tuple[str, ...]] = ("theta",)  # the vectors that ``max_norm`` holds within its bound

    def bind(self, s: OptimizerSlot) -> None:
        """Prepare constants, and state that does not start at zero. Called for a slot whose vectors are zeros."""

    def step(self, s: OptimizerSlot) -> None:
        """Move ``s.theta`` by one step of the rate ``s.rate``, whose copy in the arena's dtype is ``s.lr``."""
        raise NotImplementedError

    def advance(self, s: OptimizerSlot, factor: float) -> None:
        """Take step number ``s.t + 1`` at the schedule's ``factor``: decay the weights, then move them."""
        s.t += 1
        s.rate = s.exact.lr * factor
        if not s.pieces:
            self._move(s)
            return
        for piece in s.pieces:
            piece.t, piece.rate = s.t, s.rate
        s.run(s.tasks)

    def split(self, s: OptimizerSlot, pieces: Iterable[OptimizerSlot]) -> None:
        """From now on, move long vectors piece by piece."""
        s.pieces = tuple(pieces)
        s.tasks = [partial(self._move, piece) for piece in s.pieces]

    def _move(self, s: OptimizerSlot) -> None:
        s.lr[...] = s.rate
        if s.decays:
            self.decay(s, s.rate)
        self.step(s)

    def decay(self, s: OptimizerSlot, rate: Any) -> None:
        """Shrink the weights, ``theta -= rate weight_decay theta``."""
        s.kept[...] = 1 - rate * s.exact.weight_decay
        np.multiply(s.decayed, s.kept, s.decayed)

    def bound(self, s: OptimizerSlot, apply: Callable[[], None]) -> None:
        """Hold the vectors in ``bounded`` within ``max_norm``, after a step."""
        apply()

    @property
    def averages(self) -> bool:
        """Whether evaluation uses other weights than those that move."""
        return self.ema is not None or self.averaged is not None

    def size(self) -> int:
        """The number of vectors as long as theta that it works with, those of its common options included."""
        common = (self.accumulate > 1) + (self.ema is not None)
        return len(self.vectors) + len(self.spares) + common

    def state(self, s: OptimizerSlot) -> dict[str, Array]:
        """The arrays that, with theta and ``s.t``, decide about all steps to come: checkpoints hold them."""
        return {name: getattr(s, name) for name in (*self.vectors, *self.numbers)}

    def attach(self, s: OptimizerSlot) -> None:
        """Make the slot's constants. Called once, when theta, grad, o and exact are in place."""
        s.t, s.rate, s.pieces, s.run = 0, s.exact.lr, (), one_by_one
        s.lr, s.kept = s.scalar(), s.scalar()
        s.decays = bool(np.any(np.asarray(s.exact.weight_decay) > 0))
        self.bind(s)
