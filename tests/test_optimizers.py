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
from nnctl.optimizers.lamb import Lamb
from nnctl.optimizers.lion import Lion
from nnctl.optimizers.nadam import NAdam
from nnctl.optimizers.prodigy import Prodigy
from nnctl.optimizers.radam import RAdam
from nnctl.optimizers.rmsprop import RmsProp
from nnctl.optimizers.schedule_free_adamw import ScheduleFreeAdamW

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


def test_lamb_takes_the_ratio_of_each_parameter_by_itself() -> None:
    """Its step is as long as lr times the parameter; one that is zero moves by adam's direction."""
    theta = np.concatenate([np.full(4, 3.0), np.full(9, 0.5), np.zeros(2)])
    slot = optimizer_slot([Lamb(lr=0.1)], theta.copy(), np.ones(15), decayed=0, segments=(0, 4, 13, 15))
    Lamb(lr=0.1).advance(slot, 1.0)
    moved = theta - slot.theta
    assert [float(np.linalg.norm(moved[part])) for part in (slice(0, 4), slice(4, 13))] == pytest.approx([0.6, 0.15])
    assert moved[13:] == pytest.approx([0.1, 0.1], rel=1e-5)


def test_schedule_free_weights_are_the_average_of_all_its_points() -> None:
    """At a constant learning rate every z counts the same; theta lies between z and x."""
    optimizer = ScheduleFreeAdamW(lr=0.01)
    theta = START.copy()
    slot = optimizer_slot([optimizer], theta, np.zeros_like(theta), decayed=0)
    points = []
    for gradient in GRADIENTS:
        slot.grad[...] = gradient
        optimizer.advance(slot, 1.0)
        points.append(slot.z.copy())
    np.testing.assert_allclose(slot.x, np.mean(points, 0), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(theta, 0.1 * slot.z + 0.9 * slot.x, rtol=1e-10, atol=1e-12)


def test_a_warmup_gives_early_points_of_schedule_free_less_weight() -> None:
    optimizer = ScheduleFreeAdamW(lr=1.0)
    slot = optimizer_slot([optimizer], START.copy(), np.zeros(SIZE), decayed=0)
    shares = []
    for factor in (0.0, 0.5, 1.0, 0.5):
        slot.grad[...] = 1.0
        optimizer.advance(slot, factor)
        shares.append(float(slot.c))
    assert shares == pytest.approx([0, 1, 1 / 1.25, 1 / 2.25])


def test_prodigy_finds_the_scale_of_the_problem_whatever_its_first_guess() -> None:
    """|theta - 100| in 30 dimensions: d grows to the size of the distance, and theta reaches the minimum."""
    for d0 in (1e-8, 1e-4):
        optimizer = Prodigy(d0=d0)
        theta = np.zeros(30, np.float32)
        slot = optimizer_slot([optimizer], theta, np.zeros_like(theta), decayed=0)
        for step in range(600):
            slot.grad[...] = np.sign(theta - 100)
            optimizer.advance(slot, 1 - step / 600)
        assert 10 < float(slot.d) * d0 < 1000
        assert np.abs(theta - 100).max() < 1


def test_prodigy_knows_how_far_max_norm_has_moved_it() -> None:
    optimizer = Prodigy(d0=0.1, weight_decay=0.1)
    theta = START.copy()
    slot = optimizer_slot([optimizer], theta, np.zeros_like(theta), decayed=10)
    for gradient in GRADIENTS:
        slot.grad[...] = gradient
        optimizer.advance(slot, 1.0)
        optimizer.bound(slot, lambda: np.clip(theta, -0.5, 0.5, out=theta))
    np.testing.assert_allclose(slot.moved, START - theta, rtol=1e-9, atol=1e-12)
