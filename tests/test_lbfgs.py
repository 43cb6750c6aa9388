"""L-BFGS: the minima it reaches, and how it looks at the loss of a network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import nnctl
from nnctl.checking import check
from nnctl.data.batches import Examples
from nnctl.initializers.he_normal import HeNormal
from nnctl.layers.batch_norm import BatchNorm
from nnctl.layers.dense import Dense
from nnctl.layers.dropout import Dropout
from nnctl.layers.tanh import Tanh
from nnctl.network.descent import optimizer_slot
from nnctl.network.members import stream
from nnctl.network.network import build
from nnctl.network.penalties import Regularization
from nnctl.optimizers.adam import Adam
from nnctl.optimizers.lbfgs import Lbfgs
from nnctl.training.trainer import Epoch, Trainer
from tests.tables import CLASSIFY, experiment
from tests.test_trainer import examples, job

Array = NDArray[Any]
Problem = Callable[[Array], tuple[float, Array]]


def minimised(problem: Problem, start: Array, *, steps: int, dtype: str = "float64") -> tuple[Array, int]:
    """The theta that is reached, and how often the loss was looked at."""
    theta = start.astype(dtype)
    slot = optimizer_slot([Lbfgs()], theta, np.zeros_like(theta), decayed=0)
    looks = []

    def evaluate() -> float:
        loss, slot.grad[...] = problem(theta)
        looks.append(loss)
        return loss

    slot.evaluate = evaluate
    slot.loss = evaluate()
    for _ in range(steps):
        Lbfgs().advance(slot, 1.0)
        assert slot.loss == problem(theta)[0]
        assert looks[-1] == slot.loss, "the last look is not at the point that was accepted"
    return theta, len(looks)


def quadratic(theta: Array) -> tuple[float, Array]:
    """Twenty axes whose curvatures range from 1 to 100."""
    curvature = np.logspace(0, 2, theta.size)
    return float(0.5 * (curvature * theta**2).sum()), curvature * theta


def rosenbrock(theta: Array) -> tuple[float, Array]:
    x, y = theta[:-1], theta[1:]
    gradient = np.zeros_like(theta)
    gradient[:-1] = -2 * (1 - x) - 400 * x * (y - x * x)
    gradient[1:] += 200 * (y - x * x)
    return float(((1 - x) ** 2 + 100 * (y - x * x) ** 2).sum()), gradient


RNG = stream(0, "logistic")
X = np.hstack([RNG.standard_normal((200, 6)) * np.logspace(-1, 1, 6), np.ones((200, 1))])
SIGNS = np.where(RNG.random(200) < 1 / (1 + np.exp(-X @ RNG.standard_normal(7))), 1.0, -1.0)


def logistic(theta: Array) -> tuple[float, Array]:
    margins = SIGNS * (X @ theta)
    pulls = -SIGNS / (1 + np.exp(margins)) / len(X)
    return float(np.logaddexp(0, -margins).mean() + 0.005 * theta @ theta), X.T @ pulls + 0.01 * theta


def newton(theta: Array) -> Array:
    """The minimum of the logistic regression by Newton's method."""
    for _ in range(30):
        p = 1 / (1 + np.exp(-(X @ theta)))
        hessian = (X * (p * (1 - p))[:, None]).T @ X / len(X) + 0.01 * np.eye(7)
        theta = theta - np.linalg.solve(hessian, logistic(theta)[1])
    return theta


@pytest.mark.parametrize(
    ("problem", "start", "steps", "least"),
    [
        (quadratic, np.ones(20), 100, 0.0),
        (rosenbrock, np.array([-1.2, 1.0]), 60, 0.0),
        (rosenbrock, np.tile([-1.2, 1.0], 5), 90, 0.0),
        (logistic, np.zeros(7), 60, logistic(newton(np.zeros(7)))[0]),
    ],
    ids=["quadratic", "rosenbrock", "rosenbrock of ten", "logistic"],
)
def test_it_reaches_the_minimum(problem: Problem, start: Array, steps: int, least: float) -> None:
    theta, looks = minimised(problem, start, steps=steps)
    assert abs(problem(theta)[0] - least) < 1e-8
    assert looks < 1.5 * steps, "most first tries are good"


def test_a_step_into_the_void_is_taken_back() -> None:
    """Where the loss is not finite the line search comes back: -log(x) + x has its minimum at 1 and none below 0."""

    def barrier(theta: Array) -> tuple[float, Array]:
        if theta[0] <= 0:
            return float("inf"), np.full(1, np.nan)
        return float(theta[0] - np.log(theta[0])), 1 - 1 / theta

    theta, _ = minimised(barrier, np.array([30.0]), steps=30)
    assert theta[0] == pytest.approx(1.0, abs=1e-6)


def test_single_precision_comes_to_rest() -> None:
    theta, _ = minimised(rosenbrock, np.array([-1.2, 1.0]), steps=100, dtype="float32")
    assert theta.dtype == np.float32
    assert rosenbrock(theta.astype(float))[0] < 1e-6


def test_a_stack_is_refused() -> None:
    with pytest.raises(ValueError, match="lbfgs runs as a single trial"):
        optimizer_slot([Lbfgs(), Lbfgs()], np.zeros((2, 3)), np.zeros((2, 3)), decayed=0)


def network(*middle: Any) -> Any:
    layers = [Dense(units=8, init=HeNormal(), activation=Tanh()), *middle, Dense(units=1, init=HeNormal())]
    return build([(f"layers.{place}", layer) for place, layer in enumerate(layers)], (3,))


def whole(**changes: Any) -> Trainer:
    """A trainer whose batches are all rows, in float64."""
    parts = {name: examples(count, name) for name, count in (("train", 50), ("val", 20))}
    exact: dict[str, Any] = {
        name: Examples(rows.x.astype(float), rows.truth, rows.truth) for name, rows in parts.items()
    }
    usual: dict[str, Any] = {"network": network(), "optimizer": Lbfgs(), "batch_size": 50, "dtype": "float64", **exact}
    return Trainer(job(**{**usual, **changes}))


def epochs_of(trainer: Trainer) -> list[Epoch]:
    return [event for event in trainer.run() if isinstance(event, Epoch)]


def test_an_epoch_is_one_step_and_its_loss_is_that_of_the_weights_it_starts_from() -> None:
    trainer = whole(epochs=30)
    start = trainer.evaluator.evaluate(trainer.job.train, trainer.job.target, ())["loss"]
    found = epochs_of(trainer)
    assert [event.step for event in found] == list(range(1, 31))
    losses = [event.values["train_loss"] for event in found]
    assert losses[0] == pytest.approx(start, rel=1e-12)
    assert losses == sorted(losses, reverse=True)
    slow = epochs_of(whole(epochs=30, optimizer=Adam(lr=0.01)))
    assert losses[-1] < 0.2 * slow[-1].values["train_loss"]


def test_the_loss_that_falls_includes_the_penalties_and_the_one_reported_does_not() -> None:
    regularization = Regularization(l2=0.5)
    trainer = whole(epochs=60, regularization=regularization)
    found = epochs_of(trainer)
    penalties = trainer.descent.penalties
    assert penalties is not None
    assert trainer.slot.loss == pytest.approx(
        trainer.evaluator.evaluate(trainer.job.train, trainer.job.target, ())["loss"] + penalties.value(), rel=1e-9
    )
    assert found[-1].values["train_loss"] < trainer.slot.loss
    assert np.abs(trainer.arena.grad).max() < 1e-6  # the sum of both is at its minimum


def test_running_statistics_move_once_a_step_by_the_rows_at_the_accepted_weights() -> None:
    trainer = whole(epochs=3, network=network(BatchNorm()))
    before = trainer.arena.stats.copy()
    events = trainer.run()
    next(events)
    after = trainer.arena.stats.copy()
    trainer.arena.stats[...] = before
    run = trainer.stepping.space.at(50)
    run.forward()  # at the weights that the step has left
    np.testing.assert_array_equal(trainer.arena.stats, after)


def test_every_look_in_a_step_meets_the_same_dropout_and_every_step_another() -> None:
    trainer = whole(epochs=6, network=network(Dropout(rate=0.5)))
    masks = set()
    for _ in trainer.run():
        objective = trainer.stepping.objective
        assert objective is not None
        assert objective() == trainer.slot.loss  # a further look at the accepted point
        masks.add(str(trainer.stepping.dropping.state))
    assert len(masks) == 6


def test_a_run_that_goes_on_needs_no_second_look_but_takes_the_same_steps() -> None:
    first = whole(epochs=6)
    events = first.run()
    for _ in range(3):
        next(events)
    other = whole(epochs=6)
    named = {**first.arena.named(first.arena.theta), **first.arena.named_statistics(), **first.vectors()}
    other.restore({name: array.copy() for name, array in named.items()}, first.counters())
    list(events), list(other.run())
    assert first.arena.theta.tobytes() == other.arena.theta.tobytes()


def test_weight_decay_comes_before_the_search() -> None:
    trainer = whole(epochs=1, optimizer=Lbfgs(weight_decay=0.1))
    start = trainer.arena.decayed.copy()
    list(trainer.run())
    decayed = trainer.slot.start[: len(start)]
    np.testing.assert_allclose(decayed, 0.9 * start, rtol=1e-12)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, "optimizer.type: lbfgs takes each step on all rows: write `train.batch_size: full`"),
        (
            {"optimizer.clip": {"norm": 1.0}},
            "optimizer.clip: lbfgs searches along a line for a lower loss: leave this out",
        ),
        ({"optimizer.accumulate": 2}, "optimizer.accumulate: lbfgs searches"),
        ({"regularization.max_norm": 2.0}, "regularization.max_norm: lbfgs searches"),
    ],
)
def test_what_does_not_go_together_is_a_placed_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    config = experiment(tmp_path, CLASSIFY.replace("{lr: 0.01}", "{type: lbfgs}"))
    full = {"train.batch_size": "full"} if changes else {}
    (problem,) = check(config, {**full, **changes}).problems
    assert message in str(problem)
    assert problem.place is not None


def test_a_whole_run_by_its_yaml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = experiment(tmp_path, CLASSIFY.replace("{lr: 0.01}", "{type: lbfgs}"))
    run = nnctl.train(config, {"train": {"batch_size": "full", "epochs": 20}, "optimizer.ema": 0.5})
    assert run.status == "completed"
    assert run.metrics["train_loss"] < 0.5
