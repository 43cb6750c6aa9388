"""Millions of rows: metrics, evaluation and batches that take few bytes a row give what they give for few rows."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from nnctl.component import registry
from nnctl.data import batches
from nnctl.data.batches import Batches, Examples
from nnctl.data.target import Target
from nnctl.initializers.he_normal import HeNormal
from nnctl.layers.dense import Dense
from nnctl.losses import Loss
from nnctl.losses.binary_cross_entropy import BinaryCrossEntropy
from nnctl.losses.cross_entropy import CrossEntropy
from nnctl.losses.hinge import Hinge
from nnctl.losses.mse import Mse
from nnctl.metrics import AUTO, Metric, Predictions, curves, predictions
from nnctl.metrics.curves import average_precision, roc_area
from nnctl.network.members import Streams, stream
from nnctl.network.network import build
from nnctl.testing.metrics import drawn, lost, metrics_of, perfect
from nnctl.training.evaluation import Evaluator
from nnctl.training.trainer import Trainer
from nnctl.transforms.standardize import Standardize
from tests.test_trainer import examples, job


@pytest.fixture
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every metric goes by many blocks of rows."""
    monkeypatch.setattr(predictions, "NUMBERS_AT_ONCE", 60)
    monkeypatch.setattr(curves, "SORTED_AT_ONCE", 30)


def cases(task: str) -> list[Predictions]:
    """Predictions with and without ties, weights, absent classes, errors and lost rows."""
    p = drawn(task, rows=307)
    weight = stream(0, "weight").integers(0, 3, 307) * 0.1
    if p.probability is None:
        return [p, replace(p, weight=weight), perfect(p), lost(p)]
    tied = replace(p, probability=p.probability.round(1))
    alone = replace(p, truth=np.zeros_like(p.truth))
    certain = replace(p, probability=np.where(p.probability > 0.2, 1.0, p.probability))
    part = p.probability.copy()
    part[200] = np.nan
    several = (p, tied, certain, perfect(p), alone, lost(p), replace(p, probability=part))
    return [*several, *(replace(case, weight=weight) for case in several)]


@pytest.mark.parametrize("cls", registry.classes("metrics", Metric))
def test_a_metric_is_the_same_in_many_blocks(cls: type[Metric], request: pytest.FixtureRequest) -> None:
    found = [(metric, p, metric.compute(p)) for metric, task in metrics_of(cls) for p in cases(task)]
    request.getfixturevalue("few_at_once")
    for metric, p, whole in found:
        assert metric.compute(replace(p)) == pytest.approx(whole, rel=1e-12, nan_ok=True), (metric, p.task)


def test_sums_and_counts_are_the_same_in_many_blocks(request: pytest.FixtureRequest) -> None:
    weighted = cases("multiclass")[-1]
    p, wide = replace(weighted), np.arange(614.0).reshape(307, 2)
    whole = [
        p.confusion,
        p.weighted_confusion,
        p.total,
        p.sum(wide),
        p.mean_of(lambda rows: rows.truth),
        p.sum_of(lambda rows: rows.truth),
    ]
    request.getfixturevalue("few_at_once")
    p = replace(weighted)
    parts = [
        p.confusion,
        p.weighted_confusion,
        p.total,
        p.sum(wide),
        p.mean_of(lambda rows: rows.truth),
        p.sum_of(lambda rows: rows.truth),
    ]
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-14)


def test_all_rows_right_are_exactly_one_whatever_the_weights(few_at_once: None) -> None:
    p = replace(drawn("binary", rows=307), weight=np.full(307, 0.1))
    right = replace(p, predicted=p.truth)
    assert registry.all("metrics", Metric)["accuracy"]().compute(right) == 1.0
    assert right.mean_of(lambda rows: rows.truth == rows.predicted) == 1.0


def test_areas_count_every_pair_and_every_step(few_at_once: None) -> None:
    for p in cases("binary"):
        assert p.probability is not None
        score, positive = p.probability[:, 1], p.truth == 1
        weight = np.ones(307) if p.weight is None else p.weight
        pairs = np.outer(weight[positive], weight[~positive])
        gap = score[positive][:, None] - score[~positive]
        expected = (pairs * ((gap > 0) + (gap == 0) / 2)).sum() / pairs.sum() if pairs.size else np.nan
        lost_rows = np.isnan(score).any()
        assert roc_area(p, 1) == pytest.approx(np.nan if lost_rows else expected, rel=1e-12, nan_ok=True)
        steps = [weight[positive & (score >= one)].sum() / max(weight[score >= one].sum(), 1e-9) for one in score]
        precision = (np.array(steps) * weight)[positive].sum() / max(weight[positive].sum(), 1e-9)
        assert average_precision(p, 1) == pytest.approx(np.nan if lost_rows else precision, rel=1e-12, nan_ok=True)


def scored(task: str, count: int, loss: Loss, positive: int = 1) -> tuple[Evaluator, Examples, Target]:
    """An untrained network and rows to judge it on."""
    rng = stream(1, "rows")
    x = rng.standard_normal((count, 4)).astype(np.float32)
    classes = {"binary": ("a", "b"), "multiclass": ("a", "b", "c")}.get(task, ())
    width = loss.width(task=task, classes=len(classes), targets=2)
    network = build([("output", Dense(units=width, init=HeNormal()))], (4,))
    arena = network.arena("float32")
    network.initialise(arena, [stream(0, "init")])
    if task == "regression":
        truth: Any = 3 * x[:, :2].astype(np.float64) + 10
        target = Target(("y", "z"), task, scaler=Standardize(), states=({"mean": 10.0, "std": 3.0},) * 2)
    elif task == "multilabel":
        truth = rng.integers(0, 2, (count, 2)).astype(np.int8)
        target = Target(("y", "z"), task, pairs=(("0", "1"), ("0", "1"))).fitted_to(loss)
    else:
        truth = rng.integers(0, len(classes), count).astype(np.int8)
        target = Target(("y",), task, classes=classes, positive=positive).fitted_to(loss)
    w = rng.integers(0, 3, count)
    examples = Examples(x, target.encode(truth, width, x.dtype), truth, w.astype(np.float32), w * 1.0)
    return Evaluator(network, loss, arena), examples, target


@pytest.mark.parametrize(
    ("task", "loss", "positive"),
    [
        ("binary", BinaryCrossEntropy(), 0),
        ("binary", BinaryCrossEntropy(), 1),
        ("binary", CrossEntropy(), 0),
        ("binary", Mse(), 1),
        ("binary", Hinge(), 1),
        ("multiclass", CrossEntropy(), 1),
        ("multilabel", BinaryCrossEntropy(), 1),
        ("regression", Mse(), 1),
    ],
)
def test_what_is_read_off_scores_is_what_the_outputs_say(
    task: str, loss: Loss, positive: int, few_at_once: None
) -> None:
    evaluator, data, target = scored(task, 2500, loss, positive)
    mean, judged = evaluator.judge(data, target)
    outputs = loss.point(evaluator.outputs(data.x))
    predicted = target.values(outputs) if task == "regression" else target.codes(outputs)
    probability = target.probability(outputs) if task != "regression" and target.probabilities else None
    plain = Predictions(task, data.truth, predicted, probability, judged.classes, target.positive, data.weight)
    for cls in registry.classes("metrics", Metric):
        if task in cls.tasks and not (cls.needs_probability and probability is None):
            assert cls().compute(judged) == cls().compute(plain), cls.name
    np.testing.assert_array_equal(judged.predicted, predicted)
    if probability is None:
        assert judged.probability is None
    else:
        np.testing.assert_array_equal(judged.probability, probability)
    alone = [evaluator.judge(alone_in(data, place), target)[0] for place in range(0, 2500)]
    counting = data.w > 0  # type: ignore[operator]
    assert mean == pytest.approx(np.average(np.array(alone)[counting], weights=data.w[counting]), rel=1e-5)  # type: ignore[index]


def alone_in(data: Examples, place: int) -> Examples:
    """One of the rows, without its weight."""
    row = slice(place, place + 1)
    return Examples(data.x[row], data.t[row], data.truth[row])


@pytest.mark.parametrize(("task", "loss", "most"), [("binary", BinaryCrossEntropy(), 8), ("regression", Mse(), 10)])
def test_an_evaluation_takes_few_bytes_a_row(task: str, loss: Loss, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predictions, "NUMBERS_AT_ONCE", 2**14)
    monkeypatch.setattr(curves, "SORTED_AT_ONCE", 2**14)
    metrics = [registry.all("metrics", Metric)[name]() for name in AUTO[task]]
    peaks = []
    for count in (200_000, 400_000):
        evaluator, data, target = scored(task, count, loss)
        plain = replace(data, w=None, weight=None)
        tracemalloc.start()
        evaluator.evaluate(plain, target, metrics)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert (peaks[1] - peaks[0]) / 200_000 < most  # the scores alone take 4 for an output


@pytest.mark.parametrize("members", [(), (3,)])
def test_the_order_of_many_rows_is_that_of_few_in_half_the_bytes(
    members: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    x = np.arange(1000, dtype=np.float32)[:, None]
    orders = []
    for many in (2**20, 1000):
        monkeypatch.setattr(batches, "MANY_ROWS", many)
        streams = Streams([stream(seed, "shuffle") for seed in range(members[0] if members else 1)], members)
        found = Batches(Examples(x, x, x), 32, shuffle=True, streams=streams)
        for _ in range(3):
            found.shuffle()
        orders.append(found.order)
    assert [order.dtype.name for order in orders] == ["int64", "int32"]
    np.testing.assert_array_equal(*orders)


def test_a_run_goes_on_from_an_order_of_either_width(monkeypatch: pytest.MonkeyPatch) -> None:
    wide = Trainer(job(train=examples(50, "train")))
    for _ in zip(range(3), wide.run(), strict=False):
        pass
    weights = {name: array.copy() for name, array in wide.arena.named(wide.weights.theta).items()}
    saved = {**weights, **{name: array.copy() for name, array in wide.vectors().items()}}
    counters = wide.counters()
    monkeypatch.setattr(batches, "MANY_ROWS", 10)
    narrow = Trainer(job(train=examples(50, "train")))
    narrow.restore(saved, counters)
    assert (wide.batches.order.dtype, narrow.batches.order.dtype) == (np.int64, np.int32)
    for trainer in (wide, narrow):
        list(trainer.run())
    np.testing.assert_array_equal(wide.weights.theta, narrow.weights.theta)
    np.testing.assert_array_equal(wide.batches.order, narrow.batches.order)
