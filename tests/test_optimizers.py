"""Optimizers agree with the formulas of their papers or of PyTorch, written here as plainly as there."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from nnctl.network.descent import optimizer_slot
from nnctl.network.members import stream
from nnctl.optimizers import Optimizer
from nnctl.optimizers.adabelief import AdaBelief
from nnctl.optimizers.adadelta import Adadelta
from nnctl.optimizers.adagrad import Adagrad
from nnctl.optimizers.adam import Adam
from nnctl.optimizers.adamax import AdaMax
from nnctl.optimizers.adamw import AdamW
from nnctl.optimizers.amsgrad import AmsGrad
from nnctl.optimizers.lion import Lion
from nnctl.optimizers.nadam import NAdam
from nnctl.optimizers.radam import RAdam
from nnctl.optimizers.rmsprop import RmsProp

Array = NDArray[np.float64]
Moves = Iterator[Array]  # what is taken off theta in each step

SIZE = 40
RNG = stream(0, "trajectories")
START = RNG.standard_normal(SIZE)
GRADIENTS = RNG.standard_normal((50, SIZE)) * np.exp(RNG.standard_normal(SIZE)) + 0.1


def moments(beta1: float = 0.9, beta2: float = 0.999) -> Iterator[tuple[int, Array, Array, Array]]:
    """The step, the gradient and its two averages, with their bias."""
    m, v = np.zeros(SIZE), np.zeros(SIZE)
    for t, g in enumerate(GRADIENTS, 1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        yield t, g, m, v


def adam() -> Moves:
    for t, _, m, v in moments():
        yield 0.001 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)


def amsgrad() -> Moves:
    most = np.zeros(SIZE)
    for t, _, m, v in moments():
        most = np.maximum(most, v)
        yield 0.001 * (m / (1 - 0.9**t)) / (np.sqrt(most / (1 - 0.999**t)) + 1e-8)


def adamax() -> Moves:
    u = np.zeros(SIZE)
    for t, g, m, _ in moments():
        u = np.maximum(0.999 * u, np.abs(g) + 1e-8)
        yield 0.002 / (1 - 0.9**t) * m / u


def nadam() -> Moves:
    product = 1.0
    for t, g, m, v in moments():
        mu = 0.9 * (1 - 0.5 * 0.96 ** (0.004 * t))
        following = 0.9 * (1 - 0.5 * 0.96 ** (0.004 * (t + 1)))
        product *= mu
        average = following * m / (1 - product * following) + (1 - mu) * g / (1 - product)
        yield 0.002 * average / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)


def radam() -> Moves:
    limit = 2 / (1 - 0.9) - 1
    for t, _, m, v in moments(beta2=0.9):
        rho = limit - 2 * t * 0.9**t / (1 - 0.9**t)
        if rho > 5:
            r = np.sqrt((rho - 4) * (rho - 2) * limit / ((limit - 4) * (limit - 2) * rho))
            yield 0.001 * m / (1 - 0.9**t) * r * np.sqrt(1 - 0.9**t) / (np.sqrt(v) + 1e-8)
        else:
            yield 0.001 * m / (1 - 0.9**t)


def adabelief() -> Moves:
    s = np.zeros(SIZE)
    for t, g, m, _ in moments():
        s = 0.999 * s + 0.001 * (g - m) ** 2 + 1e-16
        yield 0.001 * (m / (1 - 0.9**t)) / (np.sqrt(s / (1 - 0.999**t)) + 1e-16)


def adagrad() -> Moves:
    total = np.full(SIZE, 0.1)
    for g in GRADIENTS:
        total = total + g * g
        yield 0.01 * g / (np.sqrt(total) + 1e-10)


def adadelta() -> Moves:
    v, u = np.zeros(SIZE), np.zeros(SIZE)
    for g in GRADIENTS:
        v = 0.9 * v + 0.1 * g * g
        d = np.sqrt(u + 1e-6) / np.sqrt(v + 1e-6) * g
        u = 0.9 * u + 0.1 * d * d
        yield d


def rmsprop() -> Moves:
    velocity = np.zeros(SIZE)
    for _, g, m, v in moments(0.99, 0.99):
        velocity = 0.5 * velocity + g / (np.sqrt(v - m * m) + 1e-8)
        yield 0.01 * velocity


def lion() -> Moves:
    m = np.zeros(SIZE)
    for g in GRADIENTS:
        yield 1e-4 * np.sign(0.9 * m + 0.1 * g)
        m = 0.99 * m + 0.01 * g


CASES: tuple[tuple[Optimizer, Callable[[], Moves]], ...] = (
    (Adam(), adam),
    (AmsGrad(), amsgrad),
    (AdaMax(), adamax),
    (NAdam(), nadam),
    (RAdam(beta2=0.9), radam),
    (AdaBelief(), adabelief),
    (Adagrad(initial_accumulator=0.1), adagrad),
    (Adadelta(), adadelta),
    (RmsProp(momentum=0.5, centered=True), rmsprop),
    (Lion(), lion),
)


def trajectory(optimizer: Optimizer, dtype: str, *, decayed: int = 0) -> Array:
    theta = START.astype(dtype)
    slot = optimizer_slot([optimizer], theta, np.zeros_like(theta), decayed=decayed)
    for gradient in GRADIENTS:
        slot.grad[...] = gradient
        optimizer.advance(slot, 1.0)
    return theta.astype(np.float64)


def apart(found: Array, expected: Array) -> float:
    return float(np.abs(found - expected).max() / np.abs(expected).max())


@pytest.mark.parametrize(("dtype", "bound"), [("float32", 1e-5), ("float64", 1e-10)])
@pytest.mark.parametrize(("optimizer", "moves"), CASES, ids=[optimizer.name for optimizer, _ in CASES])
def test_fifty_steps_are_those_of_the_formula(
    optimizer: Optimizer, moves: Callable[[], Moves], dtype: str, bound: float
) -> None:
    expected = START - sum(moves())
    assert apart(trajectory(optimizer, dtype), expected) < bound


def test_weight_decay_shrinks_weights_beside_the_step_and_spares_the_rest() -> None:
    theta = START.copy()
    for move in adam():
        theta[:10] *= 1 - 0.001 * 0.5
        theta -= move
    assert apart(trajectory(AdamW(weight_decay=0.5), "float64", decayed=10), theta) < 1e-10
