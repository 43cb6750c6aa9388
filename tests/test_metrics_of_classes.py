"""Metrics of classes and labels are what their plain definitions say, on any rows."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnctl.metrics import Predictions, curves
from nnctl.metrics.f1 import F1
from nnctl.metrics.roc_auc import RocAuc
from tests.predictions import binary, multiclass, multilabel, value

CLASSES, LABELS = 4, 3
near = pytest.approx


def lists(rows: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(rows, min_size=1, max_size=25)


pairs = lists(st.tuples(st.integers(0, 1), st.integers(0, 6).map(lambda level: level / 6)))
codes = lists(st.tuples(st.integers(0, CLASSES - 1), st.integers(0, CLASSES - 1)))
rows_of_four = lists(
    st.tuples(st.integers(0, CLASSES - 1), st.lists(st.integers(0, 3), min_size=CLASSES, max_size=CLASSES))
)
bits = st.lists(st.integers(0, 1), min_size=LABELS, max_size=LABELS)


def share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def counts(truth: list[Any], said: list[Any], mine: Any) -> tuple[int, int, int]:
    """Hits, false alarms and misses of one class."""
    both = list(zip(truth, said, strict=True))
    return (
        sum(t == mine and s == mine for t, s in both),
        sum(t != mine and s == mine for t, s in both),
        sum(t == mine and s != mine for t, s in both),
    )


def f1(hits: int, alarms: int, misses: int) -> float:
    precision, recall = share(hits, hits + alarms), share(hits, hits + misses)
    return share(2 * precision * recall, precision + recall)


def area(positive: list[float], negative: list[float]) -> float:
    wins = sum((a > b) + (a == b) / 2 for a, b in product(positive, negative))
    return wins / (len(positive) * len(negative))


@given(pairs, st.integers(0, 1))
def test_binary_counts_are_those_of_a_loop(rows: list[tuple[int, float]], positive: int) -> None:
    truth, scores = [t for t, _ in rows], [s for _, s in rows]
    p, said = binary(truth, scores, positive=positive), [int(s > 0.5) for s in scores]
    hits, alarms, misses = counts(truth, said, positive)
    rejected = len(rows) - hits - alarms - misses
    assert value("accuracy", p) == near((hits + rejected) / len(rows))
    assert value("precision", p) == near(share(hits, hits + alarms))
    assert value("recall", p) == near(share(hits, hits + misses))
    assert value("specificity", p) == near(share(rejected, rejected + alarms))
    assert value("f1", p) == near(f1(hits, alarms, misses))
    sides = (hits + alarms) * (hits + misses) * (rejected + alarms) * (rejected + misses)
    assert value("mcc", p) == near(share(hits * rejected - alarms * misses, math.sqrt(sides)), abs=1e-12)


@given(pairs, st.integers(0, 1))
def test_binary_probabilities_are_judged_as_by_a_loop(rows: list[tuple[int, float]], positive: int) -> None:
    p = binary([t for t, _ in rows], [s for _, s in rows], positive=positive)
    of_positive = [(t == positive, s if positive == 1 else 1 - s) for t, s in rows]
    assert value("brier", p) == near(sum((s - t) ** 2 for t, s in of_positive) / len(rows))
    of_truth = [s if t == 1 else 1 - s for t, s in rows]
    assert value("log_loss", p) == near(
        -sum(math.log(min(max(s, 2.0**-52), 1 - 2.0**-52)) for s in of_truth) / len(rows), abs=1e-12
    )


@given(pairs, st.integers(0, 1))
def test_roc_auc_is_the_chance_to_rank_a_positive_row_higher(rows: list[tuple[int, float]], positive: int) -> None:
    score = [s if positive == 1 else 1 - s for _, s in rows]
    yes = [s for s, (t, _) in zip(score, rows, strict=True) if t == positive]
    no = [s for s, (t, _) in zip(score, rows, strict=True) if t != positive]
    found = value("roc_auc", binary([t for t, _ in rows], [s for _, s in rows], positive=positive))
    assert math.isnan(found) if not yes or not no else found == near(area(yes, no), abs=1e-12)


@given(pairs)
def test_pr_auc_sums_the_precision_where_the_recall_grows(rows: list[tuple[int, float]]) -> None:
    positives, expected, before = sum(t for t, _ in rows), 0.0, 0.0
    for threshold in sorted({s for _, s in rows}, reverse=True):
        taken = [t for t, s in rows if s >= threshold]
        recall = share(sum(taken), positives)
        expected += (recall - before) * sum(taken) / len(taken)
        before = recall
    assert value("pr_auc", binary([t for t, _ in rows], [s for _, s in rows])) == near(expected, abs=1e-12)


@given(codes)
def test_multiclass_counts_are_those_of_a_loop(rows: list[tuple[int, int]]) -> None:
    truth, said = [t for t, _ in rows], [s for _, s in rows]
    p = multiclass(truth, np.eye(CLASSES)[said])
    table = {c: counts(truth, said, c) for c in set(truth) | set(said)}
    seen = len(table)
    f1s = {c: f1(*found) for c, found in table.items()}
    recalls = {c: share(hits, hits + misses) for c, (hits, _, misses) in table.items()}
    assert value("accuracy", p) == near(sum(t == s for t, s in rows) / len(rows))
    assert value("balanced_accuracy", p) == near(sum(recalls[c] for c in set(truth)) / len(set(truth)))
    assert value("macro_recall", p) == near(sum(recalls.values()) / seen)
    precisions = [share(hits, hits + alarms) for hits, alarms, _ in table.values()]
    assert value("macro_precision", p) == near(sum(precisions) / seen)
    assert value("macro_f1", p) == near(sum(f1s.values()) / seen)
    assert value("weighted_f1", p) == near(sum(f1s[t] for t in truth) / len(rows))


@given(codes)
def test_kappa_is_the_agreement_beyond_that_of_chance(rows: list[tuple[int, int]]) -> None:
    truth, said = [t for t, _ in rows], [s for _, s in rows]
    chance = sum(truth.count(c) * said.count(c) for c in range(CLASSES)) / len(rows) ** 2
    found = value("kappa", multiclass(truth, np.eye(CLASSES)[said]))
    agreed = sum(t == s for t, s in rows) / len(rows)
    assert math.isnan(found) if chance == 1 else found == near((agreed - chance) / (1 - chance), abs=1e-12)


@given(codes)
def test_mcc_is_the_correlation_of_the_indicators_of_the_classes(rows: list[tuple[int, int]]) -> None:
    true, said = np.eye(CLASSES)[[t for t, _ in rows]], np.eye(CLASSES)[[s for _, s in rows]]
    true, said = true - true.mean(axis=0), said - said.mean(axis=0)
    spread = math.sqrt(np.sum(true * true) * np.sum(said * said))
    found = value("mcc", multiclass([t for t, _ in rows], np.eye(CLASSES)[[s for _, s in rows]]))
    assert found == near(np.sum(true * said) / spread if spread > 1e-9 else 0.0, abs=1e-12)


@given(rows_of_four, st.integers(1, 5))
def test_top_k_accuracy_looks_into_the_first_k_of_a_sorted_row(rows: list[tuple[int, list[int]]], k: int) -> None:
    hits = [t in sorted(range(CLASSES), key=lambda c: (scores[c], c), reverse=True)[:k] for t, scores in rows]
    p = multiclass([t for t, _ in rows], [scores for _, scores in rows])
    assert value("top_k_accuracy", p, k=k) == near(sum(hits) / len(rows))


@given(rows_of_four)
def test_roc_auc_ovr_is_the_mean_over_the_classes_that_have_one(rows: list[tuple[int, list[int]]]) -> None:
    areas = []
    for c in range(CLASSES):
        yes, no = [s[c] for t, s in rows if t == c], [s[c] for t, s in rows if t != c]
        areas += [area(yes, no)] if yes and no else []
    found = value("roc_auc_ovr", multiclass([t for t, _ in rows], [scores for _, scores in rows]))
    assert found == near(sum(areas) / len(areas)) if areas else math.isnan(found)


@given(rows_of_four, st.integers(1, 6))
def test_ece_is_the_mean_gap_over_the_bins(rows: list[tuple[int, list[int]]], bins: int) -> None:
    probability = np.array([scores for _, scores in rows]) + 0.5
    p = multiclass([t for t, _ in rows], probability / probability.sum(axis=1, keepdims=True))
    expected = 0.0
    for b in range(bins):
        inside = [i for i, c in enumerate(p.probability.max(axis=1)) if b / bins < c <= (b + 1) / bins]  # type: ignore[union-attr]
        right = sum(p.truth[i] == p.predicted[i] for i in inside)
        expected += abs(right - sum(p.probability[i].max() for i in inside)) / len(rows)  # type: ignore[index]
    assert value("ece", p, bins=bins) == near(expected, abs=1e-12)


def test_the_confidence_of_two_classes_is_that_of_the_predicted_one() -> None:
    p = binary([1, 0, 0, 1], [0.9, 0.1, 0.3, 0.2])  # confidences 0.9, 0.9 right; 0.7 right, 0.8 wrong
    assert value("ece", p, bins=10) == near((2 * 0.1 + 0.3 + 0.8) / 4)
    assert value("ece", p, bins=1) == near(abs(0.75 - (0.9 + 0.9 + 0.7 + 0.8) / 4))


def test_the_upper_end_of_a_bin_belongs_to_it() -> None:
    p = multiclass([0, 0], [[0.5, 0.25, 0.25], [0.25, 0.75, 0.0]])  # one bin each, or both in the upper one
    assert value("ece", p, bins=2) == near((0.5 + 0.75) / 2)
    assert value("ece", p, bins=1) == near(0.125)


@given(lists(st.tuples(bits, bits)))
def test_metrics_of_labels_are_those_of_a_loop(rows: list[tuple[list[int], list[int]]]) -> None:
    truth, said = [t for t, _ in rows], [s for _, s in rows]
    p = multilabel(truth, said)
    cells = [(t, s) for one, other in rows for t, s in zip(one, other, strict=True)]
    assert value("subset_accuracy", p) == near(sum(t == s for t, s in rows) / len(rows))
    assert value("hamming", p) == near(sum(t != s for t, s in cells) / len(cells))
    assert value("micro_f1", p) == near(f1(*counts([t for t, _ in cells], [s for _, s in cells], 1)))
    of_labels = [f1(*counts([t[j] for t in truth], [s[j] for s in said], 1)) for j in range(LABELS)]
    assert value("macro_f1", p) == near(sum(of_labels) / LABELS)


@pytest.mark.parametrize("name", ["roc_auc", "pr_auc", "brier", "log_loss", "ece"])
def test_a_nan_probability_leaves_no_value(name: str) -> None:
    assert math.isnan(value(name, binary([0, 1], [0.5, math.nan])))


@pytest.mark.parametrize("name", ["roc_auc_ovr", "top_k_accuracy", "log_loss", "ece"])
def test_a_nan_among_many_probabilities_leaves_no_value(name: str) -> None:
    assert math.isnan(value(name, multiclass([0, 1, 2], [[1, 0, 0], [math.nan] * 3, [0, 0, 1]])))


def test_a_certain_error_has_a_finite_log_loss() -> None:
    assert value("log_loss", binary([1, 1], [0.0, 1.0])) == near(52 / 2 * math.log(2))


def test_rounded_weights_of_one_class_are_no_second_class() -> None:
    weight = [0.1, 0.2, 0.3, 0.7, 1e-3, 0.11, 0.13, 0.17, 0.19]
    p = multiclass([0] * 9, np.eye(3)[[0, 1, 2] * 3], weight)
    assert value("mcc", p) == 0.0
    assert math.isnan(value("roc_auc_ovr", p))
    assert math.isnan(value("kappa", multiclass([1] * 9, np.eye(3)[[1] * 9], weight)))


def test_the_top_class_may_differ_from_the_predicted_one_by_ties() -> None:
    p = multiclass([0, 1], [[0.5, 0.5], [0.5, 0.5]])
    assert value("top_k_accuracy", p, k=1) == value("accuracy", p) == 0.5
    assert value("top_k_accuracy", multiclass([0], [[0.5, 0.5]]), k=1) == 0.0
    assert value("accuracy", multiclass([0], [[0.5, 0.5]])) == 1.0


@pytest.mark.parametrize("rows", [curves.FEW, curves.FEW + 1])
def test_the_area_by_pairs_and_by_ranks_is_the_same(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    positive = rng.integers(0, 8, rows) / 8  # with ties
    p = Predictions("binary", rng.integers(0, 2, rows), positive > 0.5, np.stack([1 - positive, positive], 1), 2)
    found = curves.roc_area(p, 1)
    monkeypatch.setattr(curves, "FEW", rows if rows > curves.FEW else 0)
    assert curves.roc_area(p, 1) == pytest.approx(found, abs=1e-15)


def test_what_is_remembered_of_the_truth_is_not_taken_for_that_of_other_rows() -> None:
    rng = np.random.default_rng(0)
    said = rng.integers(0, 2, 9)
    p = Predictions("binary", said, said, np.eye(2)[said], 2)
    assert RocAuc().compute(p) == F1().compute(p) == 1
    turned = replace(p, truth=1 - said)
    assert RocAuc().compute(turned) == F1().compute(turned) == 0
    assert RocAuc().compute(p.part(slice(0, 9, 2))) == 1
