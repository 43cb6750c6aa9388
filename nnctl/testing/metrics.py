"""Conformance checks of metrics."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from nnctl.metrics import Metric, Predictions, Series
from nnctl.network.members import stream
from nnctl.testing.harness import Array, made

CLASSES = {"binary": 2, "multiclass": 4, "multilabel": 3, "regression": 0}
ROWS, TARGETS = 40, 2
MANY = 150  # rows, too many to compare all pairs


def check_metric_range(cls: type[Metric]) -> None:
    """No predictions are better than the truth."""
    for metric, task in metrics_of(cls):
        truth = drawn(task).truth
        best = metric.compute(perfect(drawn(task)))
        for seed in range(1, 21):
            other = metric.compute(replace(drawn(task, seed), truth=truth))
            assert type(other) is float, f"{metric}, {task}: gives a {type(other).__name__}, not a float"
            worse = other <= best if cls.better == "higher" else other >= best
            assert worse, f"{metric}, {task}: {other} is better than {best}, that of the truth itself"


def check_metric_order(cls: type[Metric]) -> None:
    """The order of the rows is irrelevant."""
    order = stream(0, "order").permutation(ROWS)
    for metric, task in metrics_of(cls):
        p = drawn(task)
        _assert_same(metric, p, of_rows(p, lambda array: array[order]), "rows in another order")


def check_metric_weights(cls: type[Metric]) -> None:
    """A row of weight 2 counts as two rows, and only the proportions of the weights matter."""
    rows = stream(0, "weights").integers(1, 4, ROWS)
    for metric, task in metrics_of(cls):
        p = drawn(task)
        repeated = of_rows(p, lambda array: array.repeat(rows, axis=0))
        for unit in (1.0, 0.1, 10.1):
            _assert_same(metric, replace(p, weight=rows * unit), repeated, f"weights in units of {unit}")
            _assert_same(metric, replace(p, weight=np.full(ROWS, unit)), p, f"all weights {unit}")


def check_metric_extremes(cls: type[Metric]) -> None:
    """Few rows, absent classes, weights of zero and lost predictions give a number or nan, and no warning."""
    for metric, task in metrics_of(cls):
        for rows in (1, 2, 3):
            p = drawn(task, rows=rows)
            for case in (p, perfect(p), lost(p), *(replace(case, weight=np.zeros(rows)) for case in (p, lost(p)))):
                value = metric.compute(case)
                assert type(value) is float, f"{metric}, {task}: gives a {type(value).__name__}, not a float"


def check_metric_series(cls: type[Metric]) -> None:
    """Each of a series of predictions gets the number that it gets alone, to the bit."""
    for metric, task in metrics_of(cls):
        for rows in (1, ROWS, MANY):
            first = drawn(task, rows=rows)
            others = [replace(drawn(task, seed, rows), truth=first.truth) for seed in range(1, 4)]
            each = [first, *others, lost(first), perfect(first)]
            names = [name for name in ("truth", "predicted", "probability") if getattr(first, name) is not None]
            joined: dict[str, Any] = {name: np.concatenate([getattr(p, name) for p in each]) for name in names}
            found = metric.of_each(Series(first, replace(first, **joined)))
            expected = [metric.compute(p) for p in each]
            assert np.array_equal(found, expected, equal_nan=True), f"{metric}, {task}: {found}, expected {expected}"
            assert {type(value) for value in found} == {float}, f"{metric}, {task}: gives no floats"


def metrics_of(cls: type[Metric]) -> Iterator[tuple[Metric, str]]:
    """The metric of every example, with every task it serves."""
    for example in cls.examples:
        for task in cls.tasks:
            yield made(cls, example), task


def drawn(task: str, seed: int = 0, rows: int = ROWS) -> Predictions:
    """Predictions that chance makes; with 4 rows or more, every class has some."""
    rng, classes = stream(seed, "predictions"), CLASSES[task]
    if task == "regression":
        return Predictions(task, rng.normal(size=(rows, TARGETS)), rng.normal(size=(rows, TARGETS)), None, 0)
    if task == "multilabel":
        probability = rng.uniform(size=(rows, classes))
        truth = rng.integers(0, 2, (rows, classes))
        return Predictions(task, truth, (probability > 0.5).astype(np.int64), probability, classes)
    probability = rng.dirichlet(np.ones(classes), rows)
    truth = rng.permutation(np.arange(rows) % classes)
    return Predictions(task, truth, probability.argmax(axis=1), probability, classes)


def perfect(p: Predictions) -> Predictions:
    """The same rows, predicted as they are."""
    if p.task in ("binary", "multiclass"):
        return replace(p, predicted=p.truth, probability=np.eye(p.classes)[p.truth])
    return replace(p, predicted=p.truth, probability=None if p.probability is None else p.truth.astype(np.float64))


def lost(p: Predictions) -> Predictions:
    """The same rows, as a network that has diverged predicts them."""
    if p.task == "regression":
        return replace(p, predicted=np.where(p.predicted > 0, math.inf, math.nan))
    return replace(p, predicted=np.zeros_like(p.predicted), probability=np.full((len(p.truth), p.classes), math.nan))


def of_rows(p: Predictions, pick: Callable[[Array], Array]) -> Predictions:
    """The predictions for the rows that ``pick`` takes out of every array."""
    names = [name for name in ("truth", "predicted", "probability", "weight") if getattr(p, name) is not None]
    picked: dict[str, Any] = {name: pick(getattr(p, name)) for name in names}
    return replace(p, **picked)


def _assert_same(metric: Metric, one: Predictions, other: Predictions, what: str) -> None:
    found, expected = metric.compute(one), metric.compute(other)
    same = math.isclose(found, expected, rel_tol=1e-9, abs_tol=1e-12) or (math.isnan(found) and math.isnan(expected))
    assert same, f"{metric}, {one.task}: {what} give {found}, expected {expected}"


CHECKS = (check_metric_range, check_metric_order, check_metric_weights, check_metric_extremes, check_metric_series)
