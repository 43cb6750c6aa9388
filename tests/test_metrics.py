"""Metrics agree with plain references and with scikit-learn, on every task they serve."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnctl.component import registry
from nnctl.metrics import AUTO, Metric, Predictions

CASES = [(cls, task) for cls in registry.classes("metrics", Metric) for task in cls.tasks]
each_case = pytest.mark.parametrize(("cls", "task"), CASES, ids=[f"{cls.name}-{task}" for cls, task in CASES])


def value(name: str, predictions: Predictions) -> float:
    return registry.all("metrics", Metric)[name]().compute(predictions)


def binary(truth: list[int], scores: list[float], *, threshold: float = 0.5, positive: int = 1) -> Predictions:
    score = np.array(scores)
    predicted = (score >= threshold).astype(np.int64)
    return Predictions("binary", np.array(truth), predicted, np.stack([1 - score, score], 1), 2, positive)


def regression(truth: object, predicted: object) -> Predictions:
    return Predictions("regression", np.array(truth, dtype=float), np.array(predicted, dtype=float), None, 0)


def drawn(task: str, seed: int, rows: int = 40) -> Predictions:
    rng = np.random.default_rng(seed)
    if task == "regression":
        return regression(rng.normal(size=(rows, 2)), rng.normal(size=(rows, 2)))
    classes = 2 if task == "binary" else 4
    probability = rng.dirichlet(np.ones(classes), rows)
    truth = rng.permutation(np.arange(rows) % classes)
    return Predictions(task, truth, probability.argmax(1), probability, classes)


def perfect(p: Predictions) -> Predictions:
    if p.task == "regression":
        return replace(p, predicted=p.truth)
    return replace(p, predicted=p.truth, probability=np.eye(p.classes)[p.truth])


@each_case
def test_no_prediction_is_better_than_the_perfect_one(cls: type[Metric], task: str) -> None:
    best = cls().compute(perfect(drawn(task, 0)))
    for seed in range(20):
        other = cls().compute(replace(drawn(task, seed), truth=drawn(task, 0).truth))
        assert other <= best if cls.better == "higher" else other >= best
        assert type(other) is float


@each_case
def test_the_order_of_the_rows_is_irrelevant(cls: type[Metric], task: str) -> None:
    p = drawn(task, 3)
    order = np.random.default_rng(0).permutation(len(p.truth))
    probability = None if p.probability is None else p.probability[order]
    moved = replace(p, truth=p.truth[order], predicted=p.predicted[order], probability=probability)
    assert cls().compute(moved) == pytest.approx(cls().compute(p), rel=1e-12)


@each_case
def test_a_single_row_has_a_value_or_nan(cls: type[Metric], task: str) -> None:
    score = cls().compute(drawn(task, 0, rows=1))
    assert math.isnan(score) == (cls.name in ("roc_auc", "r2"))


def test_auto_names_metrics_that_serve_the_task() -> None:
    known = registry.all("metrics", Metric)
    assert all(task in known[name].tasks for task, names in AUTO.items() for name in names)


def test_the_confusion_counts_truth_by_predicted() -> None:
    codes = np.array([0, 0, 1, 2, 2], dtype=np.uint8)
    p = Predictions("multiclass", codes, np.array([0, 1, 1, 0, 2], dtype=np.uint8), None, 20)
    assert p.confusion[:3, :3].tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 1]]
    assert p.confusion.shape == (20, 20)
    assert p.confusion.sum() == 5


# The numbers in the next three tests are those of scikit-learn 1.9.1.
def test_binary_metrics_agree_with_scikit_learn() -> None:
    p = binary([0, 0, 1, 1, 1, 0, 1, 0, 0, 1], [0.1, 0.4, 0.35, 0.8, 0.4, 0.4, 0.9, 0.0, 0.7, 1.0])
    expected = {
        "accuracy": 0.7,
        "precision": 0.75,
        "recall": 0.6,
        "f1": 0.6666666666666666,
        "roc_auc": 0.8,
        "log_loss": 0.46256014908606125,
    }
    assert {name: value(name, p) for name in expected} == pytest.approx(expected, rel=1e-12)


def test_multiclass_metrics_agree_with_scikit_learn() -> None:
    probability = np.array(
        [
            [0.7, 0.1, 0.1, 0.1],
            [0.2, 0.2, 0.5, 0.1],
            [0.1, 0.6, 0.2, 0.1],
            [0.0, 1.0, 0.0, 0.0],
            [0.1, 0.1, 0.7, 0.1],
            [0.6, 0.1, 0.2, 0.1],
            [0.0, 0.2, 0.8, 0.0],
            [0.4, 0.3, 0.2, 0.1],
        ]
    )
    truth = np.array([0, 0, 1, 1, 2, 2, 2, 0])  # the fourth class is never true nor predicted
    p = Predictions("multiclass", truth, probability.argmax(1), probability, 4)
    expected = {"accuracy": 0.75, "macro_f1": 0.7777777777777777, "log_loss": 0.6978107024625027}
    assert {name: value(name, p) for name in expected} == pytest.approx(expected, rel=1e-12)


def test_regression_metrics_agree_with_scikit_learn() -> None:
    one = regression([3, 2, 7, 5], [2.5, 0, 8, 5.5])
    two = regression([[3, -0.5], [2, 1], [7, -6], [5, 0.25]], [[2.5, 0], [0, 2], [8, -5], [5.5, 0.25]])
    names = ("mse", "rmse", "mae", "r2")
    assert [value(name, one) for name in names] == pytest.approx(
        [1.375, 1.1726039399558574, 1.0, 0.6271186440677966], rel=1e-12
    )
    assert [value(name, two) for name in names] == pytest.approx(
        [0.96875, 0.9613019699779287, 0.8125, 0.7765793528505394], rel=1e-12
    )


pairs = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 6).map(lambda level: level / 6)), min_size=1, max_size=30)


@given(pairs, st.integers(0, 1))
def test_binary_counts_are_those_of_a_loop(rows: list[tuple[int, float]], positive: int) -> None:
    truth, scores = [t for t, _ in rows], [s for _, s in rows]
    p = binary(truth, scores, positive=positive)
    said = [int(s >= 0.5) for s in scores]
    hits = sum(t == y == positive for t, y in zip(truth, said, strict=True))
    precision = hits / said.count(positive) if said.count(positive) else 0.0
    recall = hits / truth.count(positive) if truth.count(positive) else 0.0
    assert value("precision", p) == pytest.approx(precision)
    assert value("recall", p) == pytest.approx(recall)
    assert value("f1", p) == pytest.approx(2 * precision * recall / (precision + recall) if hits else 0.0)


@given(pairs, st.integers(0, 1))
def test_roc_auc_is_the_chance_to_rank_a_positive_row_higher(rows: list[tuple[int, float]], positive: int) -> None:
    score = [s if positive == 1 else 1 - s for _, s in rows]
    yes = [s for s, (t, _) in zip(score, rows, strict=True) if t == positive]
    no = [s for s, (t, _) in zip(score, rows, strict=True) if t != positive]
    auc = value("roc_auc", binary([t for t, _ in rows], [s for _, s in rows], positive=positive))
    if not yes or not no:
        assert math.isnan(auc)
    else:
        wins = sum((a > b) + (a == b) / 2 for a, b in product(yes, no))
        assert auc == pytest.approx(wins / (len(yes) * len(no)), abs=1e-12)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=30))
def test_macro_f1_is_the_mean_over_the_classes_that_occur(rows: list[tuple[int, int]]) -> None:
    truth, said = np.array(rows).T
    scores = []
    for c in set(truth) | set(said):
        hits = np.sum((truth == c) & (said == c))
        scores.append(2 * hits / (np.sum(truth == c) + np.sum(said == c)))
    p = Predictions("multiclass", truth, said, None, 5)
    assert value("macro_f1", p) == pytest.approx(sum(scores) / len(scores))
    assert value("accuracy", p) == pytest.approx(sum(t == s for t, s in rows) / len(rows))


def test_a_nan_probability_has_no_roc_auc() -> None:
    assert math.isnan(value("roc_auc", binary([0, 1], [0.5, math.nan])))


def test_a_certain_error_has_a_finite_log_loss() -> None:
    assert value("log_loss", binary([1, 1], [0.0, 1.0])) == pytest.approx(52 / 2 * math.log(2))


def test_a_target_that_does_not_vary_has_an_r2_of_zero_or_one() -> None:
    tenths = [0.1] * 3  # the mean of these is not 0.1
    assert value("r2", regression(tenths, tenths)) == 1.0
    assert value("r2", regression(tenths, [0.1, 0.1, 0.2])) == 0.0
    assert value("r2", regression(tenths, [0.1, 0.1, math.nan])) == 0.0


def test_r2_of_several_targets_is_the_mean_of_theirs() -> None:
    assert value("r2", regression([[1, 5], [3, 5]], [[1, 5], [3, 6]])) == 0.5


@pytest.mark.parametrize("name", ["mse", "rmse", "mae", "r2"])
@pytest.mark.parametrize("lost", [math.inf, -math.inf, math.nan, 1e200])
def test_lost_predictions_have_an_error_and_no_warning(name: str, lost: float) -> None:
    score = value(name, regression([1, 2, 3], [1, lost, 3]))
    assert not math.isfinite(score) or abs(score) > 1e190
