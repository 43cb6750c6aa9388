"""Every optimizer with every schedule goes on from what was kept, at every kind of place, to the same bits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from nnctl.component import registry
from nnctl.early_stopping.patience import Patience
from nnctl.initializers.he_normal import HeNormal
from nnctl.layers import Layer
from nnctl.layers.batch_norm import BatchNorm
from nnctl.layers.dense import Dense
from nnctl.layers.dropout import Dropout
from nnctl.network.network import Network, build
from nnctl.optimizers import Optimizer
from nnctl.optimizers.adam import Adam
from nnctl.schedules import Schedule
from nnctl.testing.harness import made
from nnctl.training.job import Job
from nnctl.training.trainer import Epoch, Fault, Tick, Trainer
from tests.test_continuing import kept
from tests.test_trainer import examples, job

OPTIMIZERS = registry.classes("optimizers", Optimizer)
SCHEDULES = registry.classes("schedules", Schedule)
PLACES = ("between two batches", "inside an evaluation", "after an epoch", "after so many steps", "at a fault")

TRAIN, VAL = examples(22, "train"), examples(10, "val")
SPOILED = replace(TRAIN, x=np.where(np.arange(22)[:, None] == 7, np.float32(np.nan), TRAIN.x))


def network(*, noisy: bool) -> Network:
    between: list[Layer] = [BatchNorm(), Dropout(rate=0.3)] if noisy else []
    layers = [Dense(units=4, init=HeNormal()), *between, Dense(units=1, init=HeNormal())]
    return build([(f"layers.{place}", layer) for place, layer in enumerate(layers)], (3,))


PLAIN, NOISY = network(noisy=False), network(noisy=True)


def variant(optimizer: type[Optimizer], schedule: type[Schedule], number: int) -> Job:
    """A short job; the bits of the number say what it has beside the optimizer and the schedule."""
    stops, noisy, accumulates, averages = (bool(number & 1 << bit) for bit in range(4))
    rule = made(optimizer, optimizer.examples[-1])
    if averages and rule.averaged is None:
        rule = replace(rule, ema=0.9)
    if accumulates and not rule.evaluates:
        rule = replace(rule, accumulate=2)
    options = [example for example in schedule.examples if "monitor" not in example][-1]
    on_nan = "stop" if rule.evaluates else ("stop", "skip", "rollback")[number % 3]
    return job(
        network=NOISY if noisy else PLAIN,
        optimizer=rule,
        schedule=made(schedule, options).watching("val_loss"),
        early_stopping=Patience(patience=2, min_delta=0.01) if stops else None,
        metrics=(),
        train=TRAIN if on_nan == "stop" else SPOILED,
        on_nan=on_nan,
        val=VAL,
        epochs=4,
        batch_size=len(TRAIN) if rule.evaluates else 5,
        save_steps=3,
    )


def place_of(trainer: Trainer, event: Epoch | Tick | Fault) -> str:
    if not isinstance(event, Tick):
        return "after an epoch" if isinstance(event, Epoch) else "at a fault"
    if event.save:
        return "after so many steps"
    return "inside an evaluation" if trainer.progress.batch == len(trainer.batches) else "between two batches"


def told(event: Epoch | Fault) -> Any:
    """What an event says, but for the time it took."""
    return event._replace(seconds=0.0) if isinstance(event, Epoch) else event


def end_of(trainer: Trainer) -> Any:
    counters = trainer.counters()
    counters["progress"].pop("seconds")
    best = trainer.best
    held = [trainer.arena.theta, trainer.weights.theta, trainer.arena.stats, best.theta, *trainer.vectors().values()]
    return counters, [array.tobytes() for array in held]


def goes_on(job: Job, places: dict[str, int]) -> None:
    """Train once and, from what was kept at the first place of each kind after the first epoch, on to the end."""
    trainer = Trainer(job)
    snapshots: dict[str, Any] = {}
    events = []
    for event in trainer.run():
        place = place_of(trainer, event)
        if trainer.progress.epoch and place not in snapshots:
            best = (trainer.best.theta.copy(), trainer.best.stats.copy())
            snapshots[place] = (kept(trainer), best, len(events) + (not isinstance(event, Tick)))
        if not isinstance(event, Tick):
            events.append(told(event))
    for place, (state, best, passed) in snapshots.items():
        other = Trainer(job)
        other.restore(*state)
        if job.on_nan != "rollback":  # else they are part of the state
            np.copyto(other.best.theta, best[0])
            np.copyto(other.best.stats, best[1])
        after = [told(event) for event in other.run() if not isinstance(event, Tick)]
        if passed < len(events):
            assert after == events[passed:], place
            assert end_of(other) == end_of(trainer), place
            places[place] = places.get(place, 0) + 1


@pytest.fixture(autouse=True)
def ticking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nnctl.training.trainer.TICK", 0.0)
    monkeypatch.setattr("nnctl.training.evaluation.MOST_ROWS", 4)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda cls: cls.name)
def test_every_optimizer_goes_on_with_every_schedule(optimizer: type[Optimizer]) -> None:
    """In the numbers of the variants each of both meets (nearly) all sixteen."""
    places: dict[str, int] = {}
    for number, schedule in enumerate(SCHEDULES, start=OPTIMIZERS.index(optimizer)):
        goes_on(variant(optimizer, schedule, number % 16), places)
    expected = set(PLACES) - ({"between two batches", "at a fault"} if optimizer.evaluates else set())
    assert places.keys() == expected
    assert all(count >= (7 if place == "at a fault" else 10) for place, count in places.items()), places


def test_a_trainer_that_is_closed_inside_an_evaluation_is_as_before_it() -> None:
    """No epoch is counted, nothing is the best, nothing stops before the evaluation is whole."""
    trainer = Trainer(variant(Adam, registry.classes("schedules", Schedule)[0], 15))
    events = trainer.run()
    ticks = []
    for event in events:
        if isinstance(event, Tick) and trainer.progress.batch == len(trainer.batches):
            ticks.append(kept(trainer))
            if len(ticks) == 2:
                break
        assert not isinstance(event, Epoch)
    events.close()
    (one, counted), (other, counted_later) = ticks
    assert trainer.progress.epoch == trainer.best.epoch == 0
    for state in (counted, counted_later):
        state["progress"].pop("seconds")
    assert counted == counted_later
    assert all(np.array_equal(one[name], other[name]) for name in one)


def test_evaluations_are_the_same_whether_they_tick_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = variant(Adam, SCHEDULES[0], 2)
    ticking = [told(event) for event in Trainer(watched).run() if not isinstance(event, Tick)]
    monkeypatch.setattr("nnctl.training.trainer.TICK", 1e9)
    events = list(Trainer(replace(watched, save_steps=None)).run())
    assert not any(isinstance(event, Tick) for event in events)
    assert [told(event) for event in events] == ticking


def test_saves_are_asked_for_exactly_when_so_many_steps_are_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also with the last step of an epoch, which has had its batches then, and no matter how the time goes."""
    for tick in (0.0, 1e9):
        monkeypatch.setattr("nnctl.training.trainer.TICK", tick)
        for accumulate, expected in ((1, [3, 6, 9, 12, 15, 18]), (2, [3, 6, 9])):
            made_job = replace(variant(Adam, SCHEDULES[0], 0), optimizer=Adam(accumulate=accumulate))
            events = list(Trainer(replace(made_job, epochs=4 if accumulate == 1 else 3)).run())
            assert [event.step for event in events if isinstance(event, Tick) and event.save] == expected
