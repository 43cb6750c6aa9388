"""A batch in parts gives the gradient of the batch; and a run of parts is as exact as any other."""

from __future__ import annotations

import gc
import math
import threading
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from nnctl.component import registry
from nnctl.data.batches import Batches, Examples
from nnctl.initializers.he_normal import HeNormal
from nnctl.layers import Layer
from nnctl.layers.batch_norm import BatchNorm
from nnctl.layers.dense import Dense
from nnctl.layers.dropout import Dropout
from nnctl.layers.gaussian_noise import GaussianNoise
from nnctl.losses import Loss
from nnctl.losses.mse import Mse
from nnctl.network.members import Streams
from nnctl.network.network import Network, build
from nnctl.network.reduction import Reduction
from nnctl.network.shards import Shards, splits
from nnctl.network.team import Team
from nnctl.network.workspace import Pass, Workspace
from nnctl.optimizers.adam import Adam
from nnctl.optimizers.lbfgs import Lbfgs
from nnctl.testing.harness import BATCH, Array, around, in_front, made, prepared, rows_for, targets
from nnctl.testing.losses import losses_of
from nnctl.training.job import Job
from nnctl.training.trainer import Trainer
from tests.test_continuing_matrix import goes_on
from tests.test_trainer import epochs_of, examples, job

LAYERS = registry.classes("layers", Layer)
LOSSES = registry.classes("losses", Loss)
WEIGHTS = (np.arange(BATCH) % 3).astype(float)  # some are 0


def whole(network: Network, loss: Loss, x: Array, t: Array, w: Array | None) -> tuple[float, float, Array, bool]:
    """Loss and weight of a batch, its gradient, and whether random numbers have a part in it."""
    space = prepared(network, [loss], len(x), weighted=w is not None)
    run = space.at(len(x))
    filled(run, x, t, w)
    before = space.streams.state if space.streams else None
    run.forward()
    run.backward()
    drawn = space.streams is not None and space.streams.state != before
    return float(run.loss_sum()), float(run.weight()), space.arena.grad, drawn


def filled(run: Pass, x: Array, t: Array, w: Array | None) -> None:
    run.x[...], run.t[...] = x, t
    if w is not None:
        run.w[...] = w


def streams(count: int) -> list[Streams]:
    together = Streams.single(1, "dropout", count)
    return [together.shard(place) for place in range(count)]


def in_parts(
    network: Network, loss: Loss, count: int, x: Array, t: Array, w: Array | None
) -> tuple[float, float, Array]:
    """The same for a batch in parts, the gradient being junk before."""
    arena = prepared(network, [loss], 1).arena
    arena.grad.fill(np.nan)
    team = Team(2)
    source = Batches(Examples(x, t, t, w), len(x), shuffle=False, streams=Streams.single(1, "shuffle"))
    shards = Shards(
        network, loss, arena, len(x) + 3, team=team, streams=streams(count), source=source, weighted=w is not None
    )
    run = shards.at(len(x))
    run.load(0)
    run.forward()
    run.backward()
    team.close()
    assert shards.reduction.finite()
    return float(run.loss_sum()), float(run.weight()), arena.grad


def added_up(network: Network, loss: Loss, count: int, x: Array, t: Array) -> Array:
    """The gradients of the parts as batches of their own, weighted by their rows."""
    bounds = [place * len(x) // count for place in range(count + 1)]
    total = 0.0
    for own, (start, stop) in zip(streams(count), pairwise(bounds), strict=True):
        arena = prepared(network, [loss], 1).arena
        run = Workspace(network, [loss], arena, len(x), training=True, streams=own).at(stop - start)
        filled(run, x[start:stop], t[start:stop], None)
        run.forward()
        run.backward()
        total = total + (stop - start) / len(x) * arena.grad
    return np.asarray(total)


def assert_equal(found: Array, expected: Array, what: str) -> None:
    error = np.abs(found - expected).max() / np.abs(expected).max()
    assert error <= 1e-12, f"{what}: off by {error:.1e}"


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("cls", LAYERS, ids=lambda cls: cls.name)
def test_the_gradient_of_every_layer_is_that_of_the_batch(cls: type[Layer], count: int) -> None:
    for example in cls.examples:
        layer = made(cls, example)
        for network in (around(layer), in_front(layer)):
            x, t, what = rows_for(network), targets(), f"{cls.name} {example}"
            if not splits(network, Mse()):
                with pytest.raises(ValueError, match="hang together"):
                    in_parts(network, Mse(), count, x, t, None)
                continue
            for w in (None, WEIGHTS):
                loss, weight, expected, drawn = whole(network, Mse(), x, t, w)
                found = in_parts(network, Mse(), count, x, t, w)
                if not drawn:
                    assert_equal(found[2], expected, what)
                    assert found[:2] == (pytest.approx(loss, rel=1e-12), weight)
                elif w is None:
                    assert_equal(found[2], added_up(network, Mse(), count, x, t), what)


@pytest.mark.parametrize("cls", LOSSES, ids=lambda cls: cls.name)
def test_the_gradient_of_every_loss_is_that_of_the_batch(cls: type[Loss]) -> None:
    for loss, t, width in losses_of(cls):
        network = build([("output", Dense(units=width, init=HeNormal()))], (5,))
        for w in (None, WEIGHTS, np.zeros(BATCH)):
            total, weight, expected, _ = whole(network, loss, rows_for(network), t, w)
            found = in_parts(network, loss, 2, rows_for(network), t, w)
            assert found[:2] == (pytest.approx(total, rel=1e-12), weight)
            if w is None or w.any():
                assert_equal(found[2], expected, f"{loss}")
            else:
                assert not found[2].any()


@pytest.mark.parametrize("count", [1, 2])
def test_fewer_rows_than_shards_are_parts_of_one_row(count: int) -> None:
    network = around(Dense(units=3, init=HeNormal()))
    x, t = rows_for(network)[:count], targets()[:count]
    assert_equal(in_parts(network, Mse(), 3, x, t, None)[2], whole(network, Mse(), x, t, None)[2], "dense")


def test_what_hangs_together_is_not_split() -> None:
    class Ranked(Mse):
        couples_rows = True

    plain = around(Dense(units=3, init=HeNormal()))
    assert splits(plain, Mse())
    assert not splits(plain, Ranked())
    assert not splits(around(BatchNorm()), Mse())


def test_gradients_are_added_up_in_order_whoever_does_it() -> None:
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((3, 300_000), dtype=np.float32)
    expected = (rows[0] + rows[1]) + rows[2]
    for threads in (1, 2):
        total, team = rows[0].copy(), Team(threads)
        reduction = Reduction(total, list(rows[1:]), team)
        reduction.add(2)
        assert total.tobytes() == expected.tobytes()
        assert reduction.finite()
        team.close()


def test_a_gradient_that_is_not_finite_is_seen_and_a_large_one_is_none() -> None:
    total, other = np.full(100_000, 1e30, np.float32), np.full(100_000, 1e30, np.float32)
    reduction = Reduction(total, [other], Team(1))
    with np.errstate(over="ignore"):
        reduction.add(1)
        assert reduction.finite()
        other[-1] = np.inf
        reduction.add(1)
    assert not reduction.finite()


def sharded(shards: int = 2, **changes: Any) -> Job:
    """A job with noise in its network, and a ragged last batch."""
    layers = [Dense(units=8, init=HeNormal()), Dropout(rate=0.3), GaussianNoise(), Dense(units=1, init=HeNormal())]
    network = build([(f"layers.{place}", layer) for place, layer in enumerate(layers)], (3,))
    return job(**{"network": network, "epochs": 4, "threads": 2, "shards": shards, **changes})


def weights(job_: Job) -> bytes:
    trainer = Trainer(job_)
    epochs_of(trainer)
    return trainer.arena.theta.tobytes()


def test_the_same_number_of_shards_gives_the_same_bits_on_any_number_of_threads() -> None:
    assert len({weights(sharded(3)), weights(sharded(3)), weights(sharded(3, threads=1))}) == 1


def test_training_in_parts_is_training() -> None:
    """In float64 the weights are those of whole batches, but for the last digits."""
    rows = replace(examples(50, "train"), x=examples(50, "train").x.astype(float), t=examples(50, "train").truth)
    plain = job(train=replace(rows, w=np.arange(50) % 4 / 2), val=None, monitor=None, dtype="float64", epochs=3)
    found = [np.frombuffer(weights(replace(plain, threads=n, shards=n))) for n in (1, 2, 3)]
    for other in found[1:]:
        assert 0 < np.abs(other - found[0]).max() < 1e-12


@pytest.mark.parametrize(
    "changes",
    [
        {"optimizer": Adam(accumulate=2)},
        {"on_nan": "skip", "train": "spoiled"},
        {"on_nan": "rollback", "train": "spoiled"},
        {"optimizer": Lbfgs(), "batch_size": 50, "shards": 3},
    ],
    ids=["accumulate", "skip", "rollback", "lbfgs"],
)
def test_a_run_of_parts_goes_on_to_the_same_bits(changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nnctl.training.trainer.TICK", 0.0)
    monkeypatch.setattr("nnctl.training.evaluation.MOST_ROWS", 4)
    if changes.get("train"):
        rows = examples(50, "train")
        changes = {**changes, "train": replace(rows, x=np.where(np.arange(50)[:, None] == 7, np.nan, rows.x))}
    places: dict[str, int] = {}
    goes_on(sharded(**changes), places)
    assert places
    if not isinstance(changes.get("optimizer"), Lbfgs):
        assert places["between two batches"] == 1


def test_every_shard_has_a_stream_of_its_own() -> None:
    trainer = Trainer(sharded(3))
    states = trainer.counters()["streams"]["dropout"]
    assert len({str(state["state"]) for state in states}) == 3
    epochs_of(trainer)
    assert all(state != before for state, before in zip(trainer.counters()["streams"]["dropout"], states, strict=True))


def test_what_a_layer_raises_in_another_thread_comes_out_and_no_thread_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    before = threading.active_count()
    meeting = threading.Barrier(2, timeout=10)  # so that each thread has one of the parts
    forward = Dropout.forward

    def fails(self: Dropout, s: Any) -> None:
        meeting.wait()
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("no such layer")
        forward(self, s)

    monkeypatch.setattr(Dropout, "forward", fails)
    with pytest.raises(RuntimeError, match="no such layer"):
        epochs_of(Trainer(sharded()))
    assert threading.active_count() == before


def test_no_thread_stays_after_a_run_nor_after_one_that_is_left() -> None:
    before = threading.active_count()
    epochs_of(Trainer(sharded()))
    assert threading.active_count() == before
    events = Trainer(sharded()).run()
    next(events)
    assert threading.active_count() == before + 1
    events.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before
    trainer = Trainer(sharded())
    trainer.stepping.take(0.0, math.inf)
    assert threading.active_count() == before + 1
    del trainer
    gc.collect()
    for thread in threading.enumerate():
        if thread is not threading.main_thread():
            thread.join(10)
    assert threading.active_count() == before
