"""What a trainer keeps is all that decides: another one goes on from it and ends with the same bits."""

from __future__ import annotations

import json
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
from nnctl.network.network import build
from nnctl.network.penalties import Regularization
from nnctl.optimizers import Clip, Optimizer
from nnctl.optimizers.adam import Adam
from nnctl.schedules.plateau import Plateau
from nnctl.testing.harness import made
from nnctl.training.job import Job
from nnctl.training.trainer import Epoch, Tick, Trainer
from tests.test_trainer import examples, job

STOP = 9  # events after which the state is taken: in the middle of an epoch, and of a group of batches

OPTIMIZERS: list[Optimizer] = [
    *(made(cls, cls.examples[-1]) for cls in registry.classes("optimizers", Optimizer)),
    Adam(accumulate=3, clip=Clip(norm=0.1, value=0.1), ema=0.9, weight_decay=0.1),
]


def busy(optimizer: Optimizer) -> Job:
    """A job with everything that has a state."""
    layers = [Dense(units=8, init=HeNormal()), BatchNorm(), Dropout(rate=0.2), Dense(units=1, init=HeNormal())]
    network = build([(f"layers.{place}", layer) for place, layer in enumerate(layers)], (3,))
    whole = {"batch_size": 50} if optimizer.evaluates else {"batch_size": 8}
    return job(
        network=network,
        optimizer=optimizer,
        regularization=Regularization(l1=1e-4, l2=1e-3, max_norm=None if optimizer.evaluates else 2.0),
        schedule=Plateau(monitor="val_loss", factor=0.7, patience=1),
        early_stopping=Patience(patience=50),
        epochs=6,
        **whole,
    )


def kept(trainer: Trainer) -> tuple[dict[str, Any], Any]:
    """What a checkpoint holds, as read back."""
    weights, statistics = trainer.arena.named(trainer.weights.theta), trainer.arena.named_statistics()
    tensors = {name: array.copy() for name, array in {**weights, **statistics, **trainer.vectors()}.items()}
    return tensors, json.loads(json.dumps(trainer.counters()))


def ending(events: Any) -> tuple[Any, ...]:
    """The last epoch, but for the time it took."""
    *_, last = events
    assert isinstance(last, Epoch)
    return (last.epoch, last.step, last.lr, last.values, last.improved)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda optimizer: optimizer.name)
def test_another_trainer_goes_on_to_the_same_bits(optimizer: Optimizer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nnctl.training.trainer.TICK", 0.0)
    first, other = Trainer(busy(optimizer)), Trainer(busy(optimizer))
    events = first.run()
    for _ in range(3 if optimizer.evaluates else STOP):
        event: Epoch | Tick = next(events)
    assert isinstance(event, Tick) or optimizer.evaluates
    other.restore(*kept(first))
    assert ending(events) == ending(other.run())
    assert first.arena.theta.tobytes() == other.arena.theta.tobytes()
    assert first.weights.theta.tobytes() == other.weights.theta.tobytes()
    assert first.arena.stats.tobytes() == other.arena.stats.tobytes()
    assert first.counters()["streams"] == other.counters()["streams"]


def test_a_group_of_batches_that_is_not_complete_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nnctl.training.trainer.TICK", 0.0)
    trainer = Trainer(busy(Adam(accumulate=3)))
    events = trainer.run()
    next(events)
    tensors, state = kept(trainer)
    assert state["held"] == 1
    assert tensors["descent.weight"] == 8.0
    assert tensors["descent.sum"].any()


def test_evaluation_and_best_use_the_averaged_weights() -> None:
    trainer = Trainer(replace(busy(Adam(lr=0.05, ema=0.9)), monitor=None, early_stopping=None))
    *_, last = trainer.run()
    assert isinstance(last, Epoch)
    job_ = trainer.job
    assert job_.val is not None
    found = trainer.evaluator.evaluate(job_.val, job_.target, ())["loss"]
    assert found == last.values["val_loss"]
    averaged = trainer.weights.theta.copy()
    trainer.weights.theta[...] = trainer.arena.theta
    assert trainer.evaluator.evaluate(job_.val, job_.target, ())["loss"] != found
    assert not np.array_equal(averaged, trainer.arena.theta)
    assert trainer.best.epoch == last.epoch
    assert np.array_equal(trainer.best.theta, averaged)


def test_steps_of_several_batches_are_those_of_large_ones() -> None:
    """Without shuffling, three batches of eight make the step of one of twenty-four, the short group included."""
    rows = examples(50, "train")
    exact = {"train": Examples(rows.x.astype(float), rows.truth, rows.truth), "val": None, "monitor": None}
    plain = job(shuffle=False, epochs=3, optimizer=Adam(), batch_size=24, dtype="float64", **exact)
    split = job(shuffle=False, epochs=3, optimizer=Adam(accumulate=3), batch_size=8, dtype="float64", **exact)
    found = []
    for each in (plain, split):
        trainer = Trainer(each)
        *_, last = trainer.run()
        found.append((trainer.arena.theta, last.step))
    assert plain.epoch_steps == split.epoch_steps == 3
    assert found[0][1] == found[1][1] == 9
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-9)


def test_reported_losses_leave_penalties_out() -> None:
    values = []
    for regularization in (Regularization(), Regularization(l1=1.0, l2=1.0)):
        trainer = Trainer(job(optimizer=Adam(lr=1e-30), regularization=regularization, epochs=1))
        *_, last = trainer.run()
        assert isinstance(last, Epoch)
        values.append(last.values)
    assert values[0] == values[1]
    assert math.isfinite(values[0]["train_loss"])
