"""Descent: what accumulation, penalties, clipping, the bound on weights and their average add to an optimizer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from nnctl.network.arena import Arena, lay_out
from nnctl.network.descent import Descent
from nnctl.network.members import stream
from nnctl.network.penalties import Penalties, Regularization
from nnctl.optimizers import Clip, Optimizer
from nnctl.optimizers.adam import Adam
from nnctl.optimizers.momentum import Momentum
from nnctl.optimizers.sgd import Sgd

Array = NDArray[Any]

# A dense layer (3, 4) with biases, and a filter (2, 2, 3): the weights come first, 24 of 28 parameters.
SEGMENTS = lay_out([("a.W", (3, 4), True), ("a.b", (4,), False), ("c.W", (2, 2, 3), True)])
WEIGHTS, SIZE = 24, 28


def arena(dtype: str = "float64", members: tuple[int, ...] = ()) -> Arena:
    made = Arena(SEGMENTS, (), members=members, dtype=dtype)
    made.theta[...] = stream(0, "theta").standard_normal(SIZE)
    return made


def gradients(count: int) -> Array:
    return stream(0, "gradients").standard_normal((count, SIZE))


def stepped(
    optimizer: Optimizer, regularization: Regularization | None = None, *, steps: int = 1, dtype: str = "float64"
) -> tuple[Array, Array]:
    """Theta and the evaluated weights after some steps."""
    own = arena(dtype)
    descent = Descent([optimizer], own, [regularization] if regularization else [])
    for gradient in gradients(steps):
        own.grad[...] = gradient
        assert descent.gather(5, last=False)
        descent.step(1.0)
    return own.theta, descent.weights.theta


def test_a_descent_without_extras_is_the_optimizer_alone_and_calls_nothing_else() -> None:
    own = arena()
    descent = Descent([Adam()], own, [Regularization()])
    assert (descent._before, descent._after, descent._kept) == ([], [], {})
    assert descent.penalties is None
    assert descent.weights is own
    alone = Descent([Adam()], arena())
    for gradient in gradients(3):
        own.grad[...] = gradient
        descent.step(0.5)
        alone.arena.grad[...] = gradient
        alone.optimizer.advance(alone.slot, 0.5)
    assert np.array_equal(own.theta, alone.arena.theta)


def test_gradients_of_a_group_are_averaged_by_their_rows() -> None:
    own = arena()
    start, parts = own.theta.copy(), gradients(5)
    descent = Descent([Sgd(lr=1.0, accumulate=3)], own)
    due = []
    for gradient, rows, last in zip(parts, (4, 4, 2, 4, 1), (False, False, False, False, True), strict=True):
        own.grad[...] = gradient
        due.append(descent.gather(rows, last=last))
        if due[-1]:
            descent.step(1.0)
    assert due == [False, False, True, False, True]
    first, short = (4 * parts[0] + 4 * parts[1] + 2 * parts[2]) / 10, (4 * parts[3] + parts[4]) / 5
    np.testing.assert_allclose(own.theta, start - first - short, rtol=1e-12)
    assert (descent.slot.t, descent.held) == (2, 0)


def test_a_group_without_any_weight_moves_nothing() -> None:
    own = arena("float32")
    start = own.theta.copy()
    descent = Descent([Sgd(lr=1.0, accumulate=2)], own)
    for last in (False, True):
        own.grad[...] = 0.0
        if descent.gather(0.0, last=last):
            descent.step(1.0)
    assert np.array_equal(own.theta, start)


def test_the_gradient_of_the_penalties_is_that_of_their_value_and_spares_biases() -> None:
    own = arena()
    penalties = Penalties([Regularization(l1=0.3, l2=0.7)], own)
    penalties.add_gradient()
    numeric = np.zeros(SIZE)
    for place in range(SIZE):
        values = []
        for nudge in (1e-6, -2e-6):
            own.theta[place] += nudge
            values.append(penalties.value())
        own.theta[place] += 1e-6
        numeric[place] = (values[0] - values[1]) / 2e-6
    np.testing.assert_allclose(own.grad, numeric, atol=1e-8)
    assert not own.grad[WEIGHTS:].any()
    w = own.theta[:WEIGHTS]
    assert penalties.value() == pytest.approx(0.3 * np.abs(w).sum() + 0.35 * (w * w).sum(), rel=1e-12)


def test_penalties_are_added_before_the_gradient_is_clipped_and_decay_comes_after() -> None:
    start, gradient = arena().theta.copy(), gradients(1)[0]
    optimizer = Sgd(lr=0.1, weight_decay=0.5, clip=Clip(value=0.8, norm=2.0))
    theta, _ = stepped(optimizer, Regularization(l1=0.1, l2=0.2))
    expected = gradient.copy()
    expected[:WEIGHTS] += 0.1 * np.sign(start[:WEIGHTS]) + 0.2 * start[:WEIGHTS]
    expected = np.clip(expected, -0.8, 0.8)
    assert np.linalg.norm(expected) > 2.0
    expected *= 2.0 / np.linalg.norm(expected)
    decayed = np.concatenate([start[:WEIGHTS] * 0.95, start[WEIGHTS:]])
    np.testing.assert_allclose(theta, decayed - 0.1 * expected, rtol=1e-12)


def test_a_gradient_within_the_bounds_is_left_alone_to_the_bit() -> None:
    plain, _ = stepped(Momentum(), steps=3)
    clipped, _ = stepped(Momentum(clip=Clip(norm=100.0, value=100.0)), steps=3)
    assert np.array_equal(plain, clipped)


def test_max_norm_bounds_the_weights_into_each_unit_and_no_others() -> None:
    theta, _ = stepped(Sgd(lr=0.1), Regularization(max_norm=0.9), steps=4)
    free, _ = stepped(Sgd(lr=0.1), steps=4)
    norms = [np.sqrt((part.reshape(-1, part.shape[-1]) ** 2).sum(0)) for part in _weights(theta)]
    assert all((norm <= 0.9 * (1 + 1e-12)).all() for norm in norms)
    assert any((norm > 0.9 * (1 - 1e-9)).any() for norm in norms)
    assert np.array_equal(theta[WEIGHTS:], free[WEIGHTS:])


def test_weights_within_max_norm_are_left_alone_to_the_bit() -> None:
    plain, _ = stepped(Sgd(), steps=3)
    bounded, _ = stepped(Sgd(), Regularization(max_norm=100.0), steps=3)
    assert np.array_equal(plain, bounded)


def averaged(optimizer: Optimizer, steps: int) -> tuple[Array, list[Array]]:
    """The average after some steps, and the weights before them and after each."""
    own = arena()
    descent = Descent([optimizer], own)
    met = [own.theta.copy()]
    for gradient in gradients(steps):
        own.grad[...] = gradient
        descent.step(1.0)
        met.append(own.theta.copy())
    assert descent.weights.stats is own.stats
    return descent.weights.theta, met


def test_the_average_follows_every_step_at_first_faster_than_by_its_decay() -> None:
    found, (expected, *met) = averaged(Sgd(lr=0.1, ema=0.5), 20)
    for t, theta in enumerate(met, start=1):
        decay = min(0.5, (1 + t) / (10 + t))
        expected = decay * expected + (1 - decay) * theta
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    plain, _ = stepped(Sgd(lr=0.1), steps=20)
    assert np.array_equal(met[-1], plain)


def test_the_average_of_a_short_run_holds_next_to_nothing_of_the_first_weights() -> None:
    own = arena()
    first, last = own.theta.copy(), own.theta + 1000.0
    descent = Descent([Sgd(ema=0.9999)], own)
    own.theta[...] = last
    for _ in range(30):
        own.grad[...] = 0.0
        descent.step(1.0)
    share = (last - descent.weights.theta) / (last - first)
    assert (share < 1e-5).all(), "0.9999^30 = 0.997 without a warmup of the decay"


def test_members_of_a_stack_go_their_own_ways_with_options_of_their_own() -> None:
    def optimizer(k: int) -> Adam:
        return Adam(
            lr=0.1 * k, weight_decay=0.1 * k, clip=Clip(norm=2.0 * k, value=1.0 / k), ema=0.8 + 0.01 * k, accumulate=2
        )

    def regularization(k: int) -> Regularization:
        return Regularization(l1=0.01 * k, l2=0.1 / k, max_norm=1.0 * k)

    def run(numbers: tuple[int, ...], members: tuple[int, ...], weights: Any) -> Descent:
        own = arena("float64", members)
        descent = Descent([optimizer(k) for k in numbers], own, [regularization(k) for k in numbers])
        for place, gradient in enumerate(gradients(6)):
            own.grad[...] = gradient
            if descent.gather(weights[place % 2], last=False):
                descent.step(0.5)
        return descent

    together = run((1, 2, 3), (3,), [np.array([4.0, 5.0, 6.0]), 2.0])
    for place, k in enumerate((1, 2, 3)):
        alone = run((k,), (), [4.0 + place, 2.0])
        np.testing.assert_allclose(together.arena.theta[place], alone.arena.theta, rtol=1e-12)
        np.testing.assert_allclose(together.weights.theta[place], alone.weights.theta, rtol=1e-12)


MIXED: tuple[tuple[Clip, float | None, float | None], ...] = (
    (Clip(), None, None),
    (Clip(norm=2.0), 0.8, 1.0),
    (Clip(value=0.5), None, 0.9),
    (Clip(norm=1.5, value=0.7), 0.9, None),
)


@pytest.mark.parametrize("turn", range(len(MIXED)))
def test_members_that_bound_or_average_nothing_stand_beside_those_that_do(turn: int) -> None:
    def run(variants: Any, members: tuple[int, ...]) -> Descent:
        own = arena("float64", members)
        optimizers = [Adam(lr=0.1, clip=clip, ema=ema) for clip, ema, _ in variants]
        descent = Descent(optimizers, own, [Regularization(max_norm=most) for *_, most in variants])
        for gradient in gradients(6):
            own.grad[...] = gradient
            descent.step(0.5)
        return descent

    variants = MIXED[turn:] + MIXED[:turn]
    together = run(variants, (len(variants),))
    for place, variant in enumerate(variants):
        alone = run([variant], ())
        np.testing.assert_allclose(together.arena.theta[place], alone.arena.theta, rtol=1e-12)
        np.testing.assert_allclose(together.weights.theta[place], alone.weights.theta, rtol=1e-12)


@pytest.mark.parametrize("members", [(), (2,)])
@pytest.mark.parametrize("size", [1e30, 3e38])
def test_the_norm_of_a_huge_gradient_is_bounded(members: tuple[int, ...], size: float) -> None:
    own = arena("float32", members)
    own.theta[...] = 0
    descent = Descent([Sgd(lr=1.0, clip=Clip(norm=1.0))] * (members or (1,))[0], own)
    own.grad[...] = gradients(1)[0] / np.abs(gradients(1)[0]).max()
    expected = own.grad / np.sqrt((own.grad**2).sum(-1, keepdims=True))
    if members:
        own.grad[1] *= np.float32(size)
    else:
        own.grad *= np.float32(size)
    with np.errstate(over="ignore"):
        descent.step(1.0)
    np.testing.assert_allclose(own.theta, -expected, rtol=1e-5)


@pytest.mark.parametrize(("regularization", "passes"), [(Regularization(l2=0.1), 0), (Regularization(l1=0.1), 1)])
def test_a_penalty_pays_for_itself_alone(
    regularization: Regularization, passes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Array] = []
    for name in ("sign", "absolute"):
        monkeypatch.setattr(np, name, lambda w, out: calls.append(out))
    penalties = Penalties([regularization], arena())
    penalties.add_gradient()
    assert len(calls) == passes
    penalties.value()
    assert len(calls) == 2 * passes


def test_nothing_leaves_single_precision() -> None:
    optimizer = Adam(clip=Clip(norm=1.0, value=0.5), ema=0.9, weight_decay=0.1)
    for vector in stepped(optimizer, Regularization(l1=0.1, l2=0.1, max_norm=1.0), steps=3, dtype="float32"):
        assert vector.dtype == np.float32


def _weights(flat: Array) -> list[Array]:
    return [segment.view(flat) for segment in SEGMENTS if segment.decay]
