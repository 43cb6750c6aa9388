"""The training loop: what it yields, what it keeps as best, and when it ends."""

from __future__ import annotations

import math
import tracemalloc
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from nnctl.data.batches import Batches, Examples
from nnctl.data.target import Target
from nnctl.early_stopping.patience import Patience
from nnctl.initializers.he_normal import HeNormal
from nnctl.layers.dense import Dense
from nnctl.layers.tanh import Tanh
from nnctl.losses.mse import Mse
from nnctl.metrics.r2 import R2
from nnctl.metrics.rmse import Rmse
from nnctl.network.members import Streams, stream
from nnctl.network.network import build
from nnctl.optimizers import Optimizer
from nnctl.optimizers.adam import Adam
from nnctl.optimizers.schedule_free_adamw import ScheduleFreeAdamW
from nnctl.optimizers.sgd import Sgd
from nnctl.schedules.constant import Constant
from nnctl.schedules.cosine import Cosine
from nnctl.schedules.plateau import Plateau
from nnctl.training.job import Job
from nnctl.training.trainer import Epoch, Tick, Trainer
from nnctl.training.waiting import MOST
from nnctl.transforms.none import NoScaling


def examples(count: int, name: str) -> Examples:
    rng = stream(0, name)
    x = rng.standard_normal((count, 3)).astype(np.float32)
    truth = np.sin(x.sum(axis=1, keepdims=True)).astype(np.float64)
    return Examples(x, truth.astype(np.float32), truth)


def job(**changes: Any) -> Job:
    network = build(
        [("layers.0", Dense(units=8, init=HeNormal(), activation=Tanh())), ("output", Dense(units=1, init=HeNormal()))],
        (3,),
    )
    usual = Job(
        network=network,
        loss=Mse(),
        optimizer=Adam(lr=0.01),
        schedule=Constant(),
        early_stopping=None,
        target=Target(("y",), "regression", scaler=NoScaling(), states=({},)),
        metrics=(Rmse(),),
        monitor="val_loss",
        better="lower",
        schedule_better="lower",
        train=examples(50, "train"),
        val=examples(20, "val"),
        epochs=20,
        batch_size=16,
        shuffle=True,
        eval_every=1,
        seed=0,
        dtype="float32",
    )
    return replace(usual, **changes)


def epochs_of(trainer: Trainer) -> list[Epoch]:
    return [event for event in trainer.run() if isinstance(event, Epoch)]


def test_the_same_job_gives_the_same_bits() -> None:
    one, other = Trainer(job()), Trainer(job())
    epochs_of(one), epochs_of(other)
    assert one.arena.theta.tobytes() == other.arena.theta.tobytes()


def test_another_seed_gives_another_network() -> None:
    one, other = Trainer(job()), Trainer(job(seed=1))
    assert not np.array_equal(one.arena.theta, other.arena.theta)


def test_every_row_is_seen_once_in_an_epoch_the_ragged_batch_included() -> None:
    batches = Batches(examples(50, "train"), 16, shuffle=True, streams=Streams.single(0, "shuffle"))
    assert [batches.rows(batch) for batch in range(len(batches))] == [16, 16, 16, 2]
    first = batches.order.copy()
    batches.shuffle()
    assert not np.array_equal(first, batches.order)
    assert sorted(batches.order.tolist()) == list(range(50))


def test_steps_are_counted_over_all_epochs() -> None:
    found = epochs_of(Trainer(job(epochs=3)))
    assert [event.step for event in found] == [4, 8, 12]
    assert [event.epoch for event in found] == [1, 2, 3]


def test_the_train_loss_is_the_mean_over_the_rows_of_the_epoch() -> None:
    """With a learning rate that moves nothing, it is the loss of the first weights."""
    trainer = Trainer(job(optimizer=Sgd(lr=1e-30), epochs=1))
    expected = trainer.evaluator.evaluate(trainer.job.train, trainer.job.target, ())["loss"]
    assert epochs_of(trainer)[0].values["train_loss"] == pytest.approx(expected, rel=1e-6)


def test_the_best_weights_are_those_of_the_epoch_with_the_least_validation_loss() -> None:
    trainer = Trainer(job(optimizer=Adam(lr=0.3), epochs=30))
    seen = {}
    for event in trainer.run():
        if isinstance(event, Epoch):
            seen[event.epoch] = (event.values["val_loss"], trainer.arena.theta.copy())
    least = min(seen, key=lambda epoch: seen[epoch][0])
    assert trainer.best.epoch == least < 30
    assert np.array_equal(trainer.best.theta, seen[least][1])


def test_without_anything_to_monitor_the_last_epoch_is_the_best() -> None:
    trainer = Trainer(job(val=None, monitor=None, epochs=5))
    assert [event.improved for event in epochs_of(trainer)] == [True] * 5
    assert trainer.best.epoch == 5


def test_without_validation_rows_metrics_are_those_of_the_training_rows() -> None:
    trainer = Trainer(job(val=None, monitor=None, epochs=1))
    assert list(epochs_of(trainer)[0].values) == trainer.job.columns == ["train_loss", "train_rmse"]


def test_early_stopping_ends_the_run_with_its_reason() -> None:
    trainer = Trainer(job(optimizer=Adam(lr=0.3), epochs=500, early_stopping=Patience(patience=3)))
    last = epochs_of(trainer)[-1]
    assert last.stop is not None
    assert last.stop.status == "early_stopped"
    assert last.epoch == trainer.best.epoch + 3


def test_evaluation_every_few_epochs_always_includes_the_last() -> None:
    found = epochs_of(Trainer(job(epochs=7, eval_every=3)))
    assert [event.epoch for event in found if event.values] == [3, 6, 7]


def test_a_loss_that_is_no_number_ends_the_run_as_diverged_and_is_never_the_best() -> None:
    trainer = Trainer(job(optimizer=Sgd(lr=1e12), epochs=50))
    last = epochs_of(trainer)[-1]
    assert last.stop is not None
    assert last.stop.status == "diverged"
    assert trainer.best.epoch == 0 or math.isfinite(trainer.best.value)
    assert np.isfinite(trainer.best.theta).all()


def test_a_tick_changes_no_arithmetic(monkeypatch: pytest.MonkeyPatch) -> None:
    undisturbed = Trainer(job(epochs=2))
    epochs_of(undisturbed)
    monkeypatch.setattr("nnctl.training.trainer.TICK", 0.0)
    ticking = Trainer(job(epochs=2))
    ticks = [event for event in ticking.run() if isinstance(event, Tick)]
    assert len(ticks) == 6  # four batches an epoch; the end of one is no tick
    assert undisturbed.arena.theta.tobytes() == ticking.arena.theta.tobytes()


class Clock:
    """A clock that shows one second more each time it is asked."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


def test_time_that_is_up_at_the_end_of_an_epoch_costs_no_further_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither before nor after the evaluation of that epoch, which is the last and evaluated whatever its number."""
    monkeypatch.setattr("nnctl.training.trainer.TICK", math.inf)
    for max_time in (10.0, 20.0, 21.0, 22.0, 23.0, 40.0):
        monkeypatch.setattr("nnctl.training.trainer.time.perf_counter", Clock())
        found = epochs_of(Trainer(job(epochs=1000, eval_every=7, max_time=max_time)))
        last = found[-1]
        assert last.stop == ("completed", "max_time")
        assert last.step == 4 * last.epoch
        assert last.values["train_loss"] > 0
        assert found[-2].seconds < max_time


def test_time_that_is_up_inside_an_epoch_ends_it_with_an_evaluation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nnctl.training.trainer.TICK", 0.0)
    monkeypatch.setattr("nnctl.training.trainer.time.perf_counter", Clock())
    last = list(Trainer(job(epochs=1000, max_time=5.0)).run())[-1]
    assert isinstance(last, Epoch)
    assert (last.epoch, last.stop) == (1, ("completed", "max_time"))
    assert 0 < last.step < 4
    assert last.values["train_loss"] > 0


def test_time_that_is_up_inside_a_group_of_batches_still_takes_its_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nnctl.training.trainer.TICK", 0.0)
    monkeypatch.setattr("nnctl.training.trainer.time.perf_counter", Clock())
    trainer = Trainer(job(optimizer=Adam(accumulate=4), batch_size=4, epochs=1000, max_time=5.0))
    start = trainer.arena.theta.copy()
    last = list(trainer.run())[-1]
    assert isinstance(last, Epoch)
    assert (last.epoch, last.step, last.stop) == (1, 1, ("completed", "max_time"))
    assert trainer.descent.held == 0
    assert not trainer.vectors()["descent.sum"].any()
    assert not np.array_equal(trainer.arena.theta, start)


AVERAGING = (Adam(lr=0.05, ema=0.9), ScheduleFreeAdamW(lr=0.05))


@pytest.mark.parametrize("optimizer", AVERAGING, ids=lambda optimizer: optimizer.name)
def test_a_monitored_train_loss_is_that_of_the_weights_that_are_kept(optimizer: Optimizer) -> None:
    schedule = Plateau(monitor="train_loss", patience=100, min_delta=0.0)
    watched = job(
        optimizer=optimizer, monitor="train_loss", early_stopping=Patience(monitor="train_loss"), schedule=schedule
    )
    trainer, plain = Trainer(watched), Trainer(job(optimizer=optimizer))
    judged = [
        trainer.evaluator.evaluate(watched.train, watched.target, ())["loss"]
        for event in trainer.run()
        if isinstance(event, Epoch)
    ]
    assert trainer.best.value == min(judged)
    assert trainer.progress.stopping["best"] == trainer.progress.schedule["best"] == min(judged)
    moving = [event.values["train_loss"] for event in epochs_of(plain)]
    assert [event.values["train_loss"] for event in epochs_of(Trainer(watched))] == moving, "the column stays"
    assert set(judged).isdisjoint(moving)


def test_the_learning_rate_where_no_step_is_taken_is_that_of_the_schedule() -> None:
    trainer = Trainer(job(schedule=Constant(warmup=2), epochs=3))
    trainer.batches.examples.x[...] = np.nan
    (event,) = epochs_of(trainer)
    assert (event.step, event.lr) == (0, pytest.approx(0.01 / 8))


def test_a_continued_run_knows_the_learning_rate_of_its_last_step() -> None:
    watched = job(schedule=Cosine(), epochs=3)
    first, other = Trainer(watched), Trainer(watched)
    events = first.run()
    before = next(event for event in events if isinstance(event, Epoch))
    tensors = {**first.arena.named(first.weights.theta), **first.vectors()}
    other.restore({name: array.copy() for name, array in tensors.items()}, first.counters())
    other.batches.examples.x[...] = np.nan
    (event,) = epochs_of(other)
    assert (event.step, event.lr) == (before.step, before.lr)


def test_the_schedule_runs_over_the_whole_run() -> None:
    found = epochs_of(Trainer(job(epochs=10, schedule=Cosine(), optimizer=Adam(lr=0.1))))
    assert found[0].lr > found[4].lr > found[-1].lr > 0
    assert found[-1].lr == pytest.approx(0.1 * (1 + math.cos(math.pi * 39 / 40)) / 2)


def test_a_plateau_of_the_validation_loss_lowers_the_learning_rate() -> None:
    schedule = Plateau(monitor="val_loss", factor=0.5, patience=1)
    trainer = Trainer(job(schedule=schedule, optimizer=Sgd(lr=1e-9), epochs=6))
    found = epochs_of(trainer)
    assert [event.lr for event in found] == [1e-9, 1e-9, 1e-9, 0.5e-9, 0.5e-9, 0.25e-9]
    assert trainer.counters()["progress"]["schedule"]["factor"] == 0.25


def test_a_plateau_may_watch_a_metric_on_the_training_rows() -> None:
    trained = job(schedule=Plateau(monitor="train_rmse"), epochs=1)
    assert "train_rmse" in epochs_of(Trainer(trained))[0].values


def test_memory_does_not_grow_with_the_number_of_steps() -> None:
    """From one time to the next at which no metrics wait."""
    trainer = Trainer(job(epochs=4 * MOST[1], batch_size=50))
    epochs = (event for event in trainer.run() if isinstance(event, Epoch))
    sizes = []
    tracemalloc.start()
    try:
        for event in epochs:
            if event.epoch % MOST[1] == 0:
                assert event.values["val_rmse"] > 0
                sizes.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert max(sizes[1:]) - sizes[1] < 2_000


def test_metrics_that_wait_are_those_that_do_not() -> None:
    """They wait while no metric decides about anything, and are there at the first look, in order."""
    waiting = Trainer(job(epochs=2000, batch_size=50, metrics=(Rmse(), R2())))
    at_once = Trainer(job(epochs=2000, batch_size=50, metrics=(Rmse(), R2()), monitor="val_r2", better="higher"))
    assert set(waiting.judging.waiting) == {"val"}
    assert not at_once.judging.waiting
    found, expected = epochs_of(waiting), epochs_of(at_once)
    assert [dict(event.values) for event in found] == [dict(event.values) for event in expected]
    assert list(found[0].values) == waiting.job.columns
