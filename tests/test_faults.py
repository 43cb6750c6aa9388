"""A number that is not finite: noticed in its batch, and answered by stopping, skipping, or going back."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from nnctl.component import registry
from nnctl.data.batches import Examples
from nnctl.early_stopping.patience import Patience
from nnctl.initializers.he_normal import HeNormal
from nnctl.layers.batch_norm import BatchNorm
from nnctl.layers.dense import Dense
from nnctl.layers.dropout import Dropout
from nnctl.losses.mae import Mae
from nnctl.network.finite import Finite
from nnctl.network.network import build
from nnctl.optimizers import Optimizer
from nnctl.optimizers.adam import Adam
from nnctl.optimizers.lbfgs import Lbfgs
from nnctl.optimizers.sgd import Sgd
from nnctl.testing.harness import made
from nnctl.training.job import Job
from nnctl.training.trainer import MOST_ROLLBACKS, Epoch, Fault, Trainer
from tests.test_trainer import examples, job

LAYERS = [Dense(units=4, init=HeNormal()), BatchNorm(), Dropout(rate=0.3), Dense(units=1, init=HeNormal())]
NORMED = build([(f"layers.{place}", layer) for place, layer in enumerate(LAYERS)], (3,))


def spoiled(rows: Examples, *places: int, value: float = math.nan) -> Examples:
    """The same rows with a feature of some of them set to what no network can stand."""
    x = rows.x.copy()
    x[list(places), 1] = value
    return Examples(x, rows.t, rows.truth)


def faulty(*places: int, **changes: Any) -> Job:
    """Batches of ten rows in their order, of which those at these places are spoiled."""
    usual = {"train": spoiled(examples(50, "train"), *places), "batch_size": 10, "shuffle": False, "epochs": 4}
    return job(**{**usual, **changes})


def events_of(trainer: Trainer) -> tuple[list[Epoch], list[Fault]]:
    events = list(trainer.run())
    return [each for each in events if isinstance(each, Epoch)], [each for each in events if isinstance(each, Fault)]


def overflowing() -> Job:
    """A gradient of x w = 1e30 1e10 with respect to the first weight, where the loss is only about 1e10."""
    layer = Dense(units=1, bias=False, init=HeNormal())
    network = build([("layers.0", layer), ("layers.1", layer)], (1,))
    t = np.zeros((4, 1), np.float32)
    x = np.full((4, 1), 1e30, np.float32)
    return job(network=network, loss=Mae(), train=Examples(x, t, t.astype(float)), val=None, monitor=None, metrics=())


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("optimizer", [Sgd(), Adam(accumulate=2)], ids=lambda optimizer: optimizer.name)
def test_a_loss_is_noticed_in_its_batch_and_costs_no_weight(optimizer: Optimizer, value: float) -> None:
    trainer = Trainer(faulty(optimizer=optimizer, train=spoiled(examples(50, "train"), 33, value=value)))
    (last,), faults = events_of(trainer)
    bad, words = ("loss", "loss is no longer a finite number")
    if math.isinf(value):  # the tanh of an infinity is 1, but has no slope
        bad, words = ("gradient", "gradient is no longer finite")
    assert last.stop == ("diverged", f"the {words} in epoch 1, batch 4")
    assert not faults, "the last epoch says it"
    assert trainer.fault == (1, 4, last.step, bad, "")
    assert last.step == 3 // optimizer.accumulate
    assert np.isfinite(trainer.arena.theta).all()
    assert trainer.best.epoch == 0


@pytest.mark.parametrize("optimizer", [Sgd(), Lbfgs()], ids=lambda optimizer: optimizer.name)
def test_so_is_a_gradient_that_overflows_while_its_loss_does_not(optimizer: Optimizer) -> None:
    trainer = Trainer(replace(overflowing(), optimizer=optimizer))
    trainer.arena.theta[...] = [1e-30, 1e10]
    before = trainer.arena.theta.copy()
    (last,), _ = events_of(trainer)
    assert last.stop == ("diverged", "the gradient is no longer finite in epoch 1, batch 1")
    assert np.array_equal(trainer.arena.theta, before)
    assert last.step == 0


def test_a_finite_gradient_whose_squares_overflow_is_none() -> None:
    trainer = Trainer(replace(overflowing(), optimizer=Sgd(lr=1e-30), epochs=1))
    trainer.arena.theta[...] = [1e-30, 1.0]
    (last,), _ = events_of(trainer)
    assert last.stop is not None
    assert last.stop.status == "completed"
    assert trainer.arena.theta[0] == pytest.approx(-1.0), "a step of 1e-30 times a gradient of 1e30"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_vector_is_finite_if_all_its_elements_are(dtype: str) -> None:
    vector = np.ones(1000, dtype)
    finite = Finite(vector)
    assert finite()
    for value in (math.nan, math.inf, -math.inf):
        vector[500] = value
        assert not finite()
        vector[501] = -value
        assert not finite(), "infinities do not cancel"
    vector[500:502] = np.finfo(dtype).max
    with np.errstate(over="ignore"):
        assert finite()


def test_a_line_search_takes_no_point_without_a_gradient() -> None:
    """What looks like a lower loss is none if there is no way on from there."""
    trainer = Trainer(replace(overflowing(), optimizer=Lbfgs(lr=1.0), epochs=3))
    trainer.arena.theta[...] = [1e-30, 1e-3]
    events_of(trainer)
    assert np.isfinite(trainer.arena.theta).all()
    assert np.isfinite(trainer.arena.grad).all()


@pytest.mark.parametrize("accumulate", [1, 2, 3])
def test_a_skipped_batch_is_as_if_it_were_not_there(accumulate: int) -> None:
    """Running statistics included; its rows count in no mean, and a group of batches just lacks it."""
    rows = examples(50, "train")
    optimizer = Sgd(lr=0.1, accumulate=accumulate)
    # The last batch of the epoch, whose group then ends before it; and the first, at no cost to any group.
    for gone in (4, 0):
        kept = np.array([place for place in range(50) if place // 10 != gone])
        without = Examples(rows.x[kept], rows.t[kept], rows.truth[kept])
        network = build([(f"layers.{place}", layer) for place, layer in enumerate([LAYERS[0], *LAYERS[1::2]])], (3,))
        shared = {"network": network, "optimizer": optimizer, "on_nan": "skip"}
        trainer = Trainer(faulty(10 * gone + 3, **shared))
        plain = Trainer(faulty(train=without, **shared))
        found, faults = events_of(trainer)
        expected, none = events_of(plain)
        assert trainer.arena.theta.tobytes() == plain.arena.theta.tobytes()
        assert trainer.arena.stats.tobytes() == plain.arena.stats.tobytes()
        assert [event.values for event in found] == [event.values for event in expected]
        assert found[-1].stop == ("completed", "all epochs done")
        assert not none
        assert [(fault.epoch, fault.batch) for fault in faults] == [(epoch, gone + 1) for epoch in range(1, 5)]


def test_skipping_is_told_once_an_epoch() -> None:
    _, faults = events_of(Trainer(faulty(3, 13, 23, on_nan="skip", epochs=2)))
    assert [(fault.epoch, fault.batch) for fault in faults] == [(1, 1), (2, 1)]
    assert "skipped" in faults[0].answer


@pytest.mark.parametrize("on_nan", ["skip", "rollback"])
def test_an_epoch_without_a_finite_batch_ends_the_run(on_nan: str) -> None:
    trainer = Trainer(faulty(3, 13, 23, 33, 43, on_nan=on_nan))
    (last,), _ = events_of(trainer)
    assert last.stop == ("diverged", "no batch of epoch 1 has a finite loss and gradient")
    assert last.values == {}
    assert trainer.best.epoch == 0
    assert trainer.fault is not None
    assert trainer.fault.epoch == 1


@pytest.mark.parametrize("on_nan", ["stop", "skip"])
def test_weights_that_the_last_step_has_ruined_end_the_run(on_nan: str) -> None:
    trainer = Trainer(job(optimizer=Sgd(lr=1e30), batch_size=50, on_nan=on_nan))
    (last,), _ = events_of(trainer)
    assert last.stop == ("diverged", "the loss is no longer a finite number after epoch 1")
    assert trainer.fault == Fault(1, 0, 1, "loss")
    assert trainer.best.epoch == 0


def test_going_back_is_to_the_best_weights_at_half_the_learning_rate_with_a_fresh_optimizer() -> None:
    changes: dict[str, Any] = {"network": NORMED, "optimizer": Adam(lr=0.02), "on_nan": "rollback", "epochs": 3}
    trainer = Trainer(faulty(43, **changes))
    events = trainer.run()
    first = next(event for event in events if isinstance(event, Epoch))  # after it has gone back to the beginning
    assert (first.epoch, first.step, trainer.progress.rate) == (1, 4, 0.5)
    best = (trainer.best.theta.copy(), trainer.best.stats.copy())
    fault = next(event for event in events if isinstance(event, Fault))
    assert (fault.epoch, fault.batch, fault.bad, fault.step) == (2, 5, "loss", 8)
    assert fault.answer == "back to the best weights, of epoch 1, at 0.25 of the learning rate"
    assert np.array_equal(trainer.arena.theta, best[0])
    assert np.array_equal(trainer.arena.stats, best[1])
    fresh = Trainer(faulty(43, **changes))
    for name, vector in trainer.vectors().items():
        assert np.array_equal(vector, fresh.vectors()[name]), name
    second = next(event for event in events if isinstance(event, Epoch))
    assert (second.step, second.lr) == (8, 0.02 * 0.5), "no step since"
    assert (trainer.progress.anew, trainer.slot.t, trainer.counters()["step"]) == (8, 0, 8)
    assert [event.lr for event in events if isinstance(event, Epoch)] == [0.02 * 0.25]


def test_before_there_is_a_best_epoch_going_back_is_to_the_initial_weights() -> None:
    trainer = Trainer(faulty(23, on_nan="rollback", epochs=1))
    start = trainer.arena.theta.copy()
    for event in trainer.run():
        if isinstance(event, Fault):
            assert event.answer == "back to the initial weights, at 0.5 of the learning rate"
            assert np.array_equal(trainer.arena.theta, start)
            return
    pytest.fail("nothing was told")


def test_a_learning_rate_that_is_too_large_is_found_by_going_back() -> None:
    trainer = Trainer(job(optimizer=Sgd(lr=60.0), on_nan="rollback", epochs=60))
    found, faults = events_of(trainer)
    assert found[-1].stop == ("completed", "all epochs done")
    assert len(faults) > 1
    assert found[-1].lr == 60 * 0.5 ** len(faults)
    assert math.isfinite(trainer.best.value)
    assert events_of(Trainer(job(optimizer=Sgd(lr=60.0), epochs=60)))[0][-1].stop[0] == "diverged"


def test_too_many_rollbacks_without_a_better_epoch_end_the_run() -> None:
    """Here no epoch is better than the first, whose weights hardly move."""
    watched = faulty(43, on_nan="rollback", epochs=40, optimizer=Sgd(lr=1e-30))
    found, faults = events_of(trainer := Trainer(watched))
    assert found[-1].stop is not None
    assert found[-1].stop.status == "diverged"
    assert found[-1].stop.reason.endswith("after 10 rollbacks without a better epoch")
    # One before the first epoch is the best; that one sets the counter back.
    assert len(faults) == 1 + MOST_ROLLBACKS
    assert trainer.best.epoch == 1
    assert found[-1].epoch == 2 + MOST_ROLLBACKS


def test_an_evaluation_that_is_not_finite_is_answered_by_going_back() -> None:
    val = spoiled(examples(20, "val"), 3)
    trainer = Trainer(job(val=val, on_nan="rollback", epochs=30))
    start = trainer.arena.theta.copy()
    events = trainer.run()
    epoch, fault = next(events), next(events)
    assert isinstance(epoch, Epoch)
    assert isinstance(fault, Fault)
    assert not math.isfinite(epoch.values["val_loss"])
    assert (epoch.stop, epoch.improved, fault.batch) == (None, False, 0)
    assert np.array_equal(trainer.arena.theta, start)
    *_, last = events
    assert isinstance(last, Epoch)
    assert last.stop is not None
    assert last.stop.status == "diverged"
    assert last.epoch == 1 + MOST_ROLLBACKS
    assert trainer.best.epoch == 0


@pytest.mark.parametrize("better", ["lower", "higher"])
@pytest.mark.parametrize("on_nan", ["stop", "rollback"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_no_number_but_a_finite_one_is_ever_the_best(better: Any, on_nan: Any, value: float) -> None:
    """In the first epoch and in later ones."""
    for earlier in (0, 2):
        watched = job(better=better, on_nan=on_nan, early_stopping=Patience(patience=3), monitor="val_rmse")
        trainer = Trainer(replace(watched, early_stopping=Patience(patience=3, monitor="val_rmse")))
        for epoch in range(1, earlier + 1):
            trainer.progress.epoch = epoch
            assert trainer._is_best({"val_rmse": 1.0}) == (epoch == 1)
        trainer.progress.epoch = earlier + 1
        assert not trainer._is_best({"val_rmse": value})
        assert trainer.best.epoch == (1 if earlier else 0)
        assert trainer.counters()["best"]["value"] == (1.0 if earlier else None)


@pytest.mark.parametrize("cls", registry.classes("optimizers", Optimizer), ids=lambda cls: cls.name)
def test_begun_anew_an_optimizer_goes_the_way_of_a_fresh_one(cls: type[Optimizer]) -> None:
    rule = made(cls, cls.examples[-1])
    rules = [rule] if rule.averaged is not None else [rule, replace(rule, ema=0.9)]
    if not rule.evaluates:
        rules.append(replace(rule, accumulate=2))
    for each in rules:
        whole = faulty(network=NORMED, optimizer=each, batch_size=50 if each.evaluates else 10)
        used, fresh = Trainer(whole), Trainer(whole)
        for trainer, steps in ((used, 3), (fresh, 0)):
            trainer.batches.shuffle()
            for _ in range(steps):
                trainer.stepping.take(0.0, math.inf)
                trainer.progress.batch %= len(trainer.batches)
            trainer.stepping.roll_back(trainer.best)
            trainer.progress.batch = 0
        assert used.progress.anew > 0
        used.stepping.dropping.state = fresh.stepping.dropping.state
        for _ in range(4):
            for trainer in (used, fresh):
                trainer.progress.rate = 1.0
                assert trainer.stepping.take(0.0, math.inf) in ("", "tick")
                trainer.progress.batch %= len(trainer.batches)
        assert used.arena.theta.tobytes() == fresh.arena.theta.tobytes()
        assert used.weights.theta.tobytes() == fresh.weights.theta.tobytes()
        for name, vector in used.vectors().items():
            assert vector.tobytes() == fresh.vectors()[name].tobytes(), name
