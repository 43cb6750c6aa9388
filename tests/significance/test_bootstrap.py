"""The paired bootstrap against plain loops, exact distributions, and the coverage that it promises."""

from __future__ import annotations

import math
import tracemalloc
from typing import Any

import numpy as np
import pytest

from nnctl.component import registry
from nnctl.metrics import Metric, Predictions
from nnctl.significance import bootstrap
from nnctl.significance.bootstrap import MEANS, RESAMPLES, paired_bootstrap


def metric(name: str) -> Metric:
    found: Any = registry.get("metrics", name)
    return found()


def numbers(rows: int, noise: float, seed: int, targets: int = 0, weighted: bool = False) -> Predictions:
    rng = np.random.default_rng(seed)
    truth = np.random.default_rng(7).normal(size=(rows, targets) if targets else rows)
    weight = np.random.default_rng(8).integers(0, 4, size=rows).astype(float) if weighted else None
    return Predictions("regression", truth, truth + noise * rng.normal(size=truth.shape), None, 0, weight=weight)


def classes(rows: int, right: float, seed: int, weighted: bool = False) -> Predictions:
    rng = np.random.default_rng(seed)
    truth = np.random.default_rng(7).integers(2, size=rows)
    predicted = np.where(rng.random(rows) < right, truth, 1 - truth)
    positive = np.clip(predicted * 0.6 + 0.4 * rng.random(rows), 0, 1)
    weight = np.random.default_rng(8).integers(1, 4, size=rows).astype(float) if weighted else None
    return Predictions("binary", truth, predicted, np.stack([1 - positive, positive], 1), 2, weight=weight)


def take(p: Predictions, rows: np.ndarray) -> Predictions:
    weight = None if p.weight is None else p.weight[rows]
    probability = None if p.probability is None else p.probability[rows]
    return Predictions(p.task, p.truth[rows], p.predicted[rows], probability, p.classes, p.positive, weight)


def by_loop(a: Predictions, b: Predictions, of: Metric, resamples: int) -> tuple[float, float]:
    """The interval from rows that are really drawn, one resample after the other."""
    rng = np.random.default_rng(1)
    drawn = []
    for _ in range(resamples):
        rows = rng.integers(len(a.truth), size=len(a.truth))
        drawn.append(of.compute(take(b, rows)) - of.compute(take(a, rows)))
    kept = [each for each in drawn if math.isfinite(each)]
    low, high = np.percentile(kept, [2.5, 97.5])
    return float(low), float(high)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", ["rmse", "mae", "mse", "r2", "median_ae"])
@pytest.mark.parametrize("targets", [0, 3])
def test_intervals_of_numbers_are_those_of_a_plain_loop(name: str, targets: int, weighted: bool) -> None:
    a, b = (numbers(80, noise, seed, targets, weighted) for noise, seed in ((1.0, 1), (0.7, 2)))
    found = paired_bootstrap(a, b, metric(name))
    low, high = by_loop(a, b, metric(name), 1_500)
    assert found.difference == metric(name).compute(b) - metric(name).compute(a)
    assert found.resamples == RESAMPLES
    room = 0.12 * (high - low)  # what 2,000 and 1,500 draws leave open
    assert found.low == pytest.approx(low, abs=room)
    assert found.high == pytest.approx(high, abs=room)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", ["accuracy", "f1", "roc_auc", "kappa", "log_loss", "brier"])
def test_intervals_of_classes_are_those_of_a_plain_loop(name: str, weighted: bool) -> None:
    a, b = (classes(60, right, seed, weighted) for right, seed in ((0.7, 1), (0.9, 2)))
    found = paired_bootstrap(a, b, metric(name))
    low, high = by_loop(a, b, metric(name), 1_500)
    room = 0.12 * (high - low)
    assert found.low == pytest.approx(low, abs=room)
    assert found.high == pytest.approx(high, abs=room)


@pytest.mark.parametrize("name", sorted(set(MEANS) - {"accuracy"}))
def test_the_matrix_product_and_the_metric_itself_give_the_same_draws(name: str, monkeypatch: Any) -> None:
    a, b = numbers(50, 1.0, 1, 2, weighted=True), numbers(50, 0.9, 2, 2, weighted=True)
    fast = paired_bootstrap(a, b, metric(name))
    monkeypatch.setattr(bootstrap, "MEANS", {})
    assert paired_bootstrap(a, b, metric(name)).low == pytest.approx(fast.low, rel=1e-12)
    assert paired_bootstrap(a, b, metric(name)).high == pytest.approx(fast.high, rel=1e-12)


def test_the_interval_of_one_kind_of_row_is_that_of_the_binomial() -> None:
    # b is right on 40 of 100 rows where a is wrong: the difference is Binomial(100, 0.4) / 100.
    truth = np.zeros(100, int)
    a = Predictions("binary", truth, np.arange(100) < 40, None, 2)
    b = Predictions("binary", truth, truth, None, 2)
    cumulated = np.cumsum([math.comb(100, k) * 0.4**k * 0.6 ** (100 - k) for k in range(101)])
    low, high = (int(np.searchsorted(cumulated, q)) / 100 for q in (0.025, 0.975))
    found = paired_bootstrap(a, b, metric("accuracy"))
    assert found.difference == pytest.approx(0.4)
    assert (found.low, found.high) == (pytest.approx(low, abs=0.011), pytest.approx(high, abs=0.011))
    assert found.clear


def test_it_is_paired_equal_predictions_have_no_interval_at_all() -> None:
    a = numbers(30, 1.0, 1)
    found = paired_bootstrap(a, a, metric("rmse"))
    assert (found.difference, found.low, found.high, found.clear) == (0, 0, 0, False)
    c = classes(30, 0.5, 1)
    assert paired_bootstrap(c, c, metric("accuracy")).high == 0


def test_it_covers_the_true_difference_as_often_as_it_says() -> None:
    hits = 0
    for round_ in range(200):
        rng = np.random.default_rng(round_)
        truth = rng.normal(size=120)
        common = rng.normal(size=120)
        a = Predictions("regression", truth, truth + common + 0.5 * rng.normal(size=120), None, 0)
        b = Predictions("regression", truth, truth + common + 0.5 * rng.normal(size=120), None, 0)
        found = paired_bootstrap(a, b, metric("mse"), seed=round_)
        hits += found.low <= 0 <= found.high  # both err alike, so the true difference is 0
    assert 180 <= hits <= 199  # 190 of 200, and two standard deviations of that


def test_the_same_seed_gives_the_same_interval() -> None:
    pairs = {"accuracy": (classes(60, 0.7, 1), classes(60, 0.9, 2)), "rmse": (numbers(60, 1, 1), numbers(60, 0.9, 2))}
    for name, (a, b) in pairs.items():
        assert paired_bootstrap(a, b, metric(name)) == paired_bootstrap(a, b, metric(name))
    assert paired_bootstrap(*pairs["rmse"], metric("rmse")) != paired_bootstrap(*pairs["rmse"], metric("rmse"), seed=1)


def test_resamples_without_a_value_are_left_out() -> None:
    truth = np.array([1, 0, 0])
    a = Predictions("binary", truth, truth, np.array([[0.1, 0.9], [0.6, 0.4], [0.7, 0.3]]), 2)
    b = Predictions("binary", truth, truth, np.array([[0.6, 0.4], [0.5, 0.5], [0.7, 0.3]]), 2)
    found = paired_bootstrap(a, b, metric("roc_auc"))
    assert 0 < found.resamples < RESAMPLES
    assert math.isfinite(found.low)
    single = take(a, np.array([0]))
    assert math.isnan(paired_bootstrap(single, single, metric("roc_auc")).low)


def test_many_rows_take_little_memory(monkeypatch: Any) -> None:
    monkeypatch.setattr(bootstrap, "RESAMPLES", 200)
    rows = 60_000
    a, b = numbers(rows, 1.0, 1), numbers(rows, 0.9, 2)
    tracemalloc.start()
    paired_bootstrap(a, b, metric("rmse"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60 * 2**20  # all draws at once would be 96 MB
