"""Member k of a stack is the same network trained alone, whatever its optimizer, schedule, noise, and end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from nnctl.component import registry
from nnctl.data.batches import Examples
from nnctl.early_stopping.patience import Patience
from nnctl.initializers.he_normal import HeNormal
from nnctl.initializers.normal import Normal
from nnctl.layers import Layer
from nnctl.layers.batch_norm import BatchNorm
from nnctl.layers.dense import Dense
from nnctl.layers.dropout import Dropout
from nnctl.layers.leaky_relu import LeakyRelu
from nnctl.layers.residual import Residual
from nnctl.network.members import common
from nnctl.network.network import Network, build
from nnctl.network.penalties import Regularization
from nnctl.optimizers import Clip, Optimizer
from nnctl.optimizers.adam import Adam
from nnctl.optimizers.sgd import Sgd
from nnctl.schedules import Schedule
from nnctl.schedules.cosine import Cosine
from nnctl.schedules.plateau import Plateau
from nnctl.testing.harness import made
from nnctl.training.alike import groups, place_of
from nnctl.training.job import Job
from nnctl.training.stack import Round, Stack
from nnctl.training.trainer import Tick, Trainer
from tests.stacks.helpers import CLOSE, alone, assert_same, together
from tests.test_continuing import kept
from tests.test_trainer import examples, job

OPTIMIZERS = [cls for cls in registry.classes("optimizers", Optimizer) if cls.stacks]
SCHEDULES = registry.classes("schedules", Schedule)


def noisy(rate: float, slope: float = 0.1, init: Any = None) -> Network:
    inner = ("inner", Dense(units=6, init=init or HeNormal(), activation=LeakyRelu(slope=slope)))
    layers: list[Layer] = [
        inner[1],
        BatchNorm(),
        Dropout(rate=rate),
        Residual(layers=(Dense(units=6, init=HeNormal()),)),
    ]
    layers.append(Dense(units=1, init=HeNormal()))
    return build([(f"layers.{place}", layer) for place, layer in enumerate(layers)], (3,))


def members(optimizer: Optimizer, **changes: Any) -> list[Job]:
    """Five jobs of one stack that differ in all that may differ."""
    every = {"epochs": 5, "batch_size": 12, "train": examples(50, "train")} | changes
    watched = "val_loss" if every.get("val", True) else "train_loss"
    return [
        job(
            **every,
            network=noisy(0.1 * member, slope=0.05 * (member + 1), init=Normal(std=0.3) if member == 2 else None),
            optimizer=replace(optimizer, lr=optimizer.lr * (1 + member), weight_decay=0.01 * member),
            regularization=Regularization(l1=1e-4 * member, l2=1e-3, max_norm=None if member % 2 else 2.0),
            early_stopping=Patience(monitor=watched, patience=1, min_delta=0.05) if member == 3 else None,
            seed=member,
        )
        for member in range(5)
    ]


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda cls: cls.name)
def test_a_member_is_the_same_network_trained_alone(optimizer: type[Optimizer]) -> None:
    jobs = members(made(optimizer, optimizer.examples[-1]))
    for own, member in zip(alone(jobs), together(jobs), strict=True):
        assert_same(own, member)


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda cls: cls.name)
def test_members_have_schedules_of_their_own(schedule: type[Schedule]) -> None:
    jobs = members(Sgd(lr=0.01))
    for place, example in enumerate(schedule.examples[:4]):
        jobs[place] = replace(jobs[place], schedule=made(schedule, example).watching("val_loss"), metrics=())
    jobs = [replace(each, metrics=()) for each in jobs if (each.schedule.watches or "loss").endswith("loss")]
    for own, member in zip(alone(jobs), together(jobs), strict=True):
        assert_same(own, member)


def weighted(rows: Examples) -> Examples:
    weight = np.arange(len(rows)) % 3 / 2
    return Examples(rows.x, rows.t, rows.truth, weight.astype(np.float32), weight)


def double(rows: Examples) -> Examples:
    return Examples(rows.x.astype(np.float64), rows.t.astype(np.float64), rows.truth)


CASES: dict[str, dict[str, Any]] = {
    "batches of all rows": {"batch_size": 50},
    "no shuffling": {"shuffle": False},
    "rows with weights": {"train": weighted(examples(50, "train")), "val": weighted(examples(20, "val"))},
    "no rows to validate on": {"val": None, "monitor": "train_loss"},
    "a last epoch at each evaluation": {"val": None, "monitor": None},
    "an evaluation now and then": {"eval_every": 3},
    "a metric that decides": {"monitor": "val_rmse"},
    "many rows": {"batch_size": 200, "train": examples(450, "train"), "val": examples(5000, "val"), "epochs": 2},
    "double precision": {"dtype": "float64", "train": double(examples(50, "train")), "val": double(examples(9, "val"))},
}


@pytest.mark.parametrize("case", CASES)
def test_what_the_jobs_have_in_common(case: str) -> None:
    jobs = members(
        Adam(lr=0.01, accumulate=1 + (case == "no shuffling"), clip=Clip(norm=0.5, value=0.4)), **CASES[case]
    )
    assert groups(jobs) == [[0, 1, 2, 3, 4]]
    for own, member in zip(alone(jobs), together(jobs), strict=True):
        assert_same(own, member)


def test_members_end_when_they_would_alone_and_the_others_go_on_in_a_smaller_stack() -> None:
    jobs = [job(epochs=epochs, seed=epochs, schedule=Cosine()) for epochs in (2, 7, 3, 11, 2, 5)]
    stack = Stack([Trainer(each) for each in jobs])
    rounds = [event.epochs for event in stack.run() if isinstance(event, Round)]
    ended = [(place, epoch.epoch) for epochs in rounds for place, epoch in epochs if epoch.stop]
    assert ended == [(0, 2), (4, 2), (2, 3)]
    assert stack.live == [1, 3, 5]
    for own, member in zip(alone(jobs), together(jobs), strict=True):
        assert_same(own, member)


@pytest.mark.parametrize("lr", [1e4, 1e38])
def test_a_member_that_diverges_ends_alone(lr: float) -> None:
    jobs = members(Sgd(lr=0.01), epochs=8)
    for place in (1, 4):
        jobs[place] = replace(jobs[place], optimizer=Sgd(lr=lr))
    own, both = alone(jobs), together(jobs)
    for one, member in zip(own, both, strict=True):
        assert_same(one, member)
    lost = [told.epochs[-1].stop for told in own]
    assert [stop is not None and stop.status == "diverged" for stop in lost] == [False, True, False, False, True]
    for one, member in zip(own, both, strict=True):
        assert one.trainer.fault == member.trainer.fault
        if one.trainer.fault:
            np.testing.assert_array_equal(one.last, member.last)
            assert one.trainer.counters()["progress"]["loss"] == member.trainer.counters()["progress"]["loss"]


def test_a_member_goes_on_alone_and_alone_ones_go_on_in_a_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nnctl.training.stack.TICK", 0.0)
    monkeypatch.setattr("nnctl.training.trainer.TICK", 0.0)
    falling = Plateau(monitor="val_loss", factor=0.7, patience=0)
    jobs = [replace(each, schedule=falling) for each in members(Adam(lr=0.01, ema=0.9, accumulate=2))]
    ends = alone(jobs)
    for stop in (1, 4, 7, 13):
        stack = Stack([Trainer(each) for each in jobs])
        events = stack.run()
        ticks = [event for event, _ in zip(events, range(stop), strict=False) if isinstance(event, Tick)]
        assert ticks
        states = [kept(trainer) for trainer in stack.trainers]
        bests = [(trainer.best.theta.copy(), trainer.best.stats.copy()) for trainer in stack.trainers]
        again = [Trainer(each) for each in jobs]
        for trainer, (tensors, counters), (theta, stats) in zip(again, states, bests, strict=True):
            trainer.restore(tensors, counters)
            trainer.best.theta[...], trainer.best.stats[...] = theta, stats
        other = Stack(again[:3])
        for _ in other.run():
            pass
        for trainer in again[3:]:
            for _ in trainer.run():
                pass
        for trainer, end in zip(again, ends, strict=True):
            assert trainer.best.epoch == end.trainer.best.epoch
            np.testing.assert_allclose(trainer.best.theta, end.trainer.best.theta, rtol=1e-6, atol=1e-6)


def test_what_may_not_differ_starts_another_stack() -> None:
    usual = job()
    others: list[dict[str, Any]] = [
        {"batch_size": 8},
        {"eval_every": 2},
        {"shuffle": False},
        {"metrics": ()},
        {"train": examples(49, "train")},
        {"optimizer": Adam(lr=0.01, accumulate=2)},
        {"optimizer": Adam(lr=0.01, ema=0.9)},
        {"optimizer": Sgd(lr=0.01)},
        {"network": noisy(0.1)},
    ]
    jobs = [usual, *(replace(usual, **each) for each in others), replace(usual, seed=7, optimizer=Adam(lr=0.3))]
    assert groups(jobs) == [[0, len(jobs) - 1], *([place] for place in range(1, len(jobs) - 1))]


def test_what_goes_by_the_clock_or_answers_numbers_that_are_not_finite_trains_alone() -> None:
    for change in ({"max_time": 5.0}, {"on_nan": "skip"}, {"on_nan": "rollback"}, {"shards": 2}):
        assert groups([job(**change), job(**change)]) == [[0], [1]]


def test_equal_rows_are_the_same_rows() -> None:
    assert groups([job(train=examples(50, "train")), job(train=examples(50, "train"))]) == [[0, 1]]


@pytest.mark.parametrize("eval_every", [1, 3])
def test_at_every_yield_each_of_them_can_be_saved(monkeypatch: pytest.MonkeyPatch, eval_every: int) -> None:
    """Also while others end, diverge or are evaluated, and between two evaluations."""
    monkeypatch.setattr("nnctl.training.stack.TICK", 0.0)
    jobs = [
        job(epochs=epochs, eval_every=eval_every, seed=epochs, optimizer=Sgd(lr=1e30 if epochs == 6 else 0.01))
        for epochs in (7, 2, 8, 6, 9)
    ]
    ends = alone(jobs)
    stack = Stack([Trainer(each) for each in jobs])
    for _ in stack.run():
        for place in stack.live:
            tensors, counters = kept(stack.trainers[place])
            best = stack.trainers[place].best
            again = Trainer(jobs[place])
            again.restore(tensors, counters)
            again.best.theta[...], again.best.stats[...] = best.theta, best.stats
            for _ in again.run():
                pass
            assert again.stepping.done == ends[place].trainer.stepping.done
            assert again.best.epoch == ends[place].trainer.best.epoch
            np.testing.assert_allclose(again.arena.theta, ends[place].trainer.arena.theta, **CLOSE)


def test_a_tick_comes_though_no_epoch_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nnctl.training.stack.TICK", 0.0)
    jobs = [job(epochs=6, eval_every=100, batch_size=50, seed=seed) for seed in (1, 2)]
    events = [type(event) for event in Stack([Trainer(each) for each in jobs]).run()]
    assert events.count(Tick) >= 6


def test_a_save_is_asked_for_after_so_many_epochs() -> None:
    jobs = [job(epochs=7, eval_every=5, save_epochs=2, seed=seed) for seed in (1, 2)]
    stack = Stack([Trainer(each) for each in jobs])
    asked = [stack.trainers[0].progress.epoch for event in stack.run() if isinstance(event, Tick) and event.save]
    assert asked == [2, 4, 6]


@pytest.mark.parametrize("kind", ["layers", "losses", "optimizers"])
def test_all_components_tell_what_members_must_have_in_common(kind: str) -> None:
    for cls in registry.classes(kind):
        for example in cls.examples:
            assert isinstance(hash(common(made(cls, example))), int)
    weighted = [replace(job().loss, class_weight={"a": 2.0, "b": weight}) for weight in (1.0, 1.0, 3.0)]
    assert groups([job(loss=loss) for loss in weighted]) == [[0, 1], [2]]


def test_bounds_on_the_gradient_may_differ_and_be_none() -> None:
    clips = [Clip(), Clip(norm=0.1), Clip(value=0.01), Clip(norm=5.0, value=3.0)]
    jobs = [job(optimizer=Adam(lr=0.01, clip=clip), seed=seed, epochs=4) for seed, clip in enumerate(clips)]
    assert groups(jobs) == [[0, 1, 2, 3]]
    for own, member in zip(alone(jobs), together(jobs), strict=True):
        assert_same(own, member)


def test_one_that_was_rolled_back_stands_nowhere() -> None:
    trainer = Trainer(job())
    assert place_of(trainer) is not None
    trainer.progress.rate = 0.5
    assert place_of(trainer) is None
