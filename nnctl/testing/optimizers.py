"""Conformance checks of optimizers."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Sequence

import numpy as np

from nnctl.component import options
from nnctl.network.descent import optimizer_slot
from nnctl.network.members import stream
from nnctl.optimizers import Optimizer, OptimizerSlot
from nnctl.testing.harness import Array, assert_close, made

STEPS = 20_000
SEARCHES = 200  # a step that searches counts as so many others


def check_optimizer_descends(cls: type[Optimizer]) -> None:
    """From the same start it brings down a badly scaled quadratic, and Rosenbrock's valley.

    At its own learning rate and decay (those of an example may be meant for another scale). The rate falls to zero in
    the last quarter: steps whose size is not that of the gradient, as adadelta's, never settle at a constant rate.
    """
    for example in ({**given} for given in cls.examples):
        example.pop("lr", None)
        example.pop("weight_decay", None)
        for name, gradient, start, value in PROBLEMS:
            theta = _minimised(made(cls, example), value, gradient, start, steps=STEPS)
            end, begin = value(theta), value(np.array(start))
            assert end < 0.05 * begin, f"{cls.name} {example}: {name} from {begin:g} to {end:g} only"


def check_optimizer_segments(cls: type[Optimizer]) -> None:
    """A step on one flat vector is the same as a step on each half of it."""
    for example in cls.examples if cls.elementwise else ():
        optimizer = made(cls, example)
        start, gradients = _recorded(8)
        whole = _stepped(optimizer, start, gradients)
        halves = [_stepped(optimizer, start[part], gradients[:, part]) for part in (slice(0, 3), slice(3, 8))]
        assert np.array_equal(whole, np.concatenate(halves)), f"{cls.name} {example}: elements touch each other"


def check_optimizer_restores(cls: type[Optimizer]) -> None:
    """From saved vectors and the step count it takes the same next step."""
    for example in cls.examples:
        optimizer = made(cls, example)
        start, gradients = _recorded(8)
        slot = optimizer_slot([optimizer], start.copy(), np.zeros_like(start), decayed=8)
        for gradient in gradients[:5]:
            _advanced(optimizer, slot, gradient)
        again = optimizer_slot([optimizer], slot.theta.copy(), np.zeros_like(start), decayed=8)
        again.t = slot.t
        for name, array in optimizer.state(slot).items():
            optimizer.state(again)[name][...] = array
        for resumed in (slot, again):
            _advanced(optimizer, resumed, gradients[5], factor=0.5)
        assert np.array_equal(slot.theta, again.theta), f"{cls.name} {example}: the restored state differs"


def check_optimizer_members(cls: type[Optimizer]) -> None:
    """Member k of a stack takes the steps of the same vector alone, with values of its own for all that may differ.

    The schedule's factor moves.
    """
    for example in cls.examples if cls.stacks else ():
        base = made(cls, example)
        optimizers = [made(cls, {**example, **_varied(base, power)}) for power in (0.5, 1.0, 2.0)]
        start, gradients = _recorded(8)
        factors = np.linspace(0.2, 1.0, len(gradients)).tolist()
        theta = np.tile(start, (len(optimizers), 1))
        slot = optimizer_slot(optimizers, theta, np.zeros_like(theta), decayed=4)
        for gradient, factor in zip(gradients, factors, strict=True):
            slot.grad[...] = gradient
            base.advance(slot, factor)
        for member, optimizer in enumerate(optimizers):
            alone = _stepped(optimizer, start, gradients, factors=factors, decayed=4)
            assert_close(slot.theta[member], alone, f"{cls.name} {example}: member {member} differs from it alone")


def check_optimizer_allocates_nothing(cls: type[Optimizer]) -> None:
    """Steps allocate nothing that is as large as the parameters, and leave their precision alone."""
    size = 50_000
    for example in cls.examples:
        theta = np.ones(size, np.float32)
        optimizer = made(cls, example)
        slot = optimizer_slot([optimizer], theta, np.zeros_like(theta), decayed=size)
        tracemalloc.start()
        try:
            for _ in range(3):
                _advanced(optimizer, slot, 1.0)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < theta.nbytes / 2, f"{cls.name} {example}: a step allocates {peak} bytes, theta has {theta.nbytes}"


def _minimised(
    optimizer: Optimizer,
    value: Callable[[Array], float],
    gradient: Callable[[Array], Array],
    start: tuple[float, ...],
    steps: int,
) -> Array:
    theta = np.array(start)
    slot = optimizer_slot([optimizer], theta, np.zeros_like(theta), decayed=0)

    def evaluate() -> float:
        slot.grad[...] = gradient(theta)
        return value(theta)

    slot.evaluate = evaluate
    for place in range(steps // SEARCHES if optimizer.evaluates else steps):
        slot.loss = evaluate()
        optimizer.advance(slot, min(1.0, 4 * (1 - place / steps)))
    return theta


def _recorded(size: int) -> tuple[Array, Array]:
    """A start and twenty gradients, the same for everybody."""
    rng = stream(0, "recorded")
    return rng.standard_normal(size), rng.standard_normal((20, size))


def _varied(optimizer: Optimizer, power: float) -> dict[str, float]:
    """Another value for each option that may differ between members: a power of it, or so many times it."""
    found = {}
    for name, option in options(type(optimizer)).items():
        value = getattr(optimizer, name)
        if option.stack and value is not None:
            low = option.gt or option.ge or 0.0
            if value == low:
                found[name] = low + 0.1 * power
            elif option.lt is not None or option.le is not None:
                found[name] = value**power
            else:
                found[name] = low + (value - low) * power
    return found


def _stepped(
    optimizer: Optimizer, start: Array, gradients: Array, *, factors: Sequence[float] = (), decayed: int = 0
) -> Array:
    theta = start.copy()
    slot = optimizer_slot([optimizer], theta, np.zeros_like(theta), decayed=decayed)
    for gradient, factor in zip(gradients, factors or [1.0] * len(gradients), strict=True):
        _advanced(optimizer, slot, gradient, factor=factor)
    return theta


def _advanced(optimizer: Optimizer, slot: OptimizerSlot, gradient: Array | float, *, factor: float = 1.0) -> None:
    """A step by a given gradient; one that evaluates by itself descends into a bowl instead."""

    def bowl() -> float:
        np.multiply(slot.theta, 1 + slot.theta.size % 3, slot.grad)
        return float(np.dot(slot.theta, slot.grad)) / 2

    slot.grad[...] = gradient
    if optimizer.evaluates:
        slot.evaluate, slot.loss = bowl, bowl()
    optimizer.advance(slot, factor)


def _quadratic(theta: Array) -> float:
    return float(0.5 * (theta[0] ** 2 + 20 * theta[1] ** 2))


def _quadratic_gradient(theta: Array) -> Array:
    return np.array([theta[0], 20 * theta[1]])


def _rosenbrock(theta: Array) -> float:
    """Rosenbrock's valley with the factor 10, whose minimum 0 lies at (1, 1)."""
    x, y = theta
    return float((1 - x) ** 2 + 10 * (y - x * x) ** 2)


def _rosenbrock_gradient(theta: Array) -> Array:
    x, y = theta
    return np.array([-2 * (1 - x) - 40 * x * (y - x * x), 20 * (y - x * x)])


PROBLEMS: tuple[tuple[str, Callable[[Array], Array], tuple[float, ...], Callable[[Array], float]], ...] = (
    ("a quadratic", _quadratic_gradient, (1.0, 1.0), _quadratic),
    ("Rosenbrock's valley", _rosenbrock_gradient, (-0.5, 0.5), _rosenbrock),
)

CHECKS = (
    check_optimizer_descends,
    check_optimizer_segments,
    check_optimizer_restores,
    check_optimizer_members,
    check_optimizer_allocates_nothing,
)
