"""What all metrics share: their tasks, their weights, and agreement with scikit-learn on fixed numbers.

Order of rows, weights, extremes and the best value are conformance checks, see ``nnctl.testing.metrics``.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from nnctl.component import registry
from nnctl.metrics import AUTO, Metric, Predictions
from nnctl.testing.metrics import drawn, metrics_of
from tests.predictions import binary, multiclass, multilabel, regression, value

NAMES = {
    "binary": "accuracy balanced_accuracy precision recall specificity f1 roc_auc pr_auc log_loss brier mcc ece",
    "multiclass": "accuracy balanced_accuracy top_k_accuracy macro_f1 weighted_f1 macro_precision macro_recall "
    "roc_auc_ovr log_loss mcc kappa ece",
    "regression": "mse rmse mae median_ae max_error mape r2 explained_variance pearson pinball",
    "multilabel": "subset_accuracy hamming micro_f1 macro_f1",
}
WEIGHTS = [1, 2, 0.5, 3, 0.25, 1, 1.5, 2, 0, 1]


@pytest.mark.parametrize("task", NAMES)
def test_every_task_has_its_metrics(task: str) -> None:
    assert {cls.name for cls in registry.classes("metrics", Metric) if task in cls.tasks} == set(NAMES[task].split())


def test_auto_names_metrics_that_serve_the_task() -> None:
    assert AUTO.keys() == NAMES.keys()
    assert all(set(names) <= set(NAMES[task].split()) for task, names in AUTO.items())


def test_the_confusion_counts_truth_by_predicted() -> None:
    codes = np.array([0, 0, 1, 2, 2], dtype=np.uint8)
    p = Predictions("multiclass", codes, np.array([0, 1, 1, 0, 2], dtype=np.uint8), None, 20)
    assert p.confusion[:3, :3].tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 1]]
    assert p.confusion.shape == (20, 20)
    assert p.confusion.sum() == 5


def test_the_confusion_counts_rows_whatever_they_weigh() -> None:
    p = multiclass([0, 0, 1], np.eye(2)[[0, 1, 1]], weight=[0, 2.5, 3])
    assert p.confusion.dtype == np.int64
    assert p.confusion.tolist() == [[1, 1], [0, 1]]
    assert p.weighted_confusion.tolist() == [[0, 2.5], [0, 3]]


@pytest.mark.parametrize("cls", registry.classes("metrics", Metric))
def test_a_row_of_weight_zero_is_as_if_it_were_not_there(cls: type[Metric]) -> None:
    weight = np.random.default_rng(0).integers(0, 3, 40)
    kept = weight > 0
    for metric, task in metrics_of(cls):
        p = drawn(task)
        probability = None if p.probability is None else p.probability[kept]
        fewer = replace(
            p, truth=p.truth[kept], predicted=p.predicted[kept], probability=probability, weight=weight[kept]
        )
        assert metric.compute(replace(p, weight=weight)) == pytest.approx(metric.compute(fewer), rel=1e-12)


# The numbers of the tests below are those of scikit-learn 1.9.1 (pearson: SciPy 1.17), but for the perfect ones.
BINARY = [0, 0, 1, 1, 1, 0, 1, 0, 0, 1], [0.1, 0.4, 0.35, 0.8, 0.4, 0.4, 0.9, 0.0, 0.7, 1.0]


def test_binary_metrics_agree_with_scikit_learn() -> None:
    expected = {
        "accuracy": 0.7,
        "balanced_accuracy": 0.7,
        "precision": 0.75,
        "recall": 0.6,
        "specificity": 0.8,
        "f1": 0.6666666666666666,
        "roc_auc": 0.8,
        "pr_auc": 0.8392857142857143,
        "log_loss": 0.46256014908606125,
        "brier": 0.16525,
        "mcc": 0.408248290463863,
    }
    assert {name: value(name, binary(*BINARY)) for name in expected} == pytest.approx(expected, rel=1e-12)


def test_binary_metrics_with_weights_agree_with_scikit_learn() -> None:
    expected = {
        "accuracy": 0.9387755102040817,
        "balanced_accuracy": 0.94,
        "precision": 1.0,
        "recall": 0.88,
        "specificity": 1.0,
        "f1": 0.9361702127659575,
        "roc_auc": 0.95,
        "pr_auc": 0.9603397683397683,
        "log_loss": 0.2627993926206567,
        "brier": 0.07561224489795919,
        "mcc": 0.8844332774281065,
    }
    p = binary(*BINARY, weight=WEIGHTS)
    assert {name: value(name, p) for name in expected} == pytest.approx(expected, rel=1e-12)


PROBABILITY = [
    [0.7, 0.1, 0.1, 0.1],
    [0.2, 0.2, 0.5, 0.1],
    [0.1, 0.6, 0.2, 0.1],
    [0.0, 1.0, 0.0, 0.0],
    [0.1, 0.1, 0.7, 0.1],
    [0.6, 0.1, 0.2, 0.1],
    [0.0, 0.2, 0.8, 0.0],
    [0.4, 0.3, 0.2, 0.1],
]
MULTICLASS = [0, 0, 1, 1, 2, 2, 2, 0], PROBABILITY  # the fourth class is never true nor predicted


def test_multiclass_metrics_agree_with_scikit_learn() -> None:
    expected = {
        "accuracy": 0.75,
        "balanced_accuracy": 0.7777777777777777,
        "top_k_accuracy": 0.875,
        "macro_f1": 0.7777777777777777,
        "weighted_f1": 0.75,
        "macro_precision": 0.7777777777777777,
        "macro_recall": 0.7777777777777777,
        "roc_auc_ovr": 0.9111111111111111,  # the mean of the three classes that are there
        "log_loss": 0.6978107024625027,
        "mcc": 0.6190476190476191,
        "kappa": 0.6190476190476191,
    }
    assert {name: value(name, multiclass(*MULTICLASS)) for name in expected} == pytest.approx(expected, rel=1e-12)


def test_multiclass_metrics_with_weights_agree_with_scikit_learn() -> None:
    expected = {
        "accuracy": 0.7333333333333333,
        "balanced_accuracy": 0.7454545454545455,
        "top_k_accuracy": 0.8222222222222222,
        "macro_f1": 0.735042735042735,
        "weighted_f1": 0.739031339031339,
        "macro_precision": 0.7388888888888889,
        "macro_recall": 0.7454545454545455,
        "roc_auc_ovr": 0.9109875222816398,
        "log_loss": 0.6841659573180744,
        "mcc": 0.6054903565345767,
        "kappa": 0.5982142857142857,
    }
    p = multiclass(*MULTICLASS, weight=WEIGHTS[:8])
    assert {name: value(name, p) for name in expected} == pytest.approx(expected, rel=1e-12)


LABELS = [[1, 0, 0], [1, 1, 0], [0, 0, 0], [0, 1, 0]], [[1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 1, 0]]


def test_multilabel_metrics_agree_with_scikit_learn() -> None:
    names = ("subset_accuracy", "hamming", "micro_f1", "macro_f1")
    plain, weighted = multilabel(*LABELS), multilabel(*LABELS, weight=WEIGHTS[:4])
    assert [value(name, plain) for name in names] == pytest.approx([0.5, 1 / 6, 0.75, 0.4888888888888889], rel=1e-12)
    assert [value(name, weighted) for name in names] == pytest.approx(
        [0.6153846153846154, 0.1282051282051282, 0.8275862068965517, 0.48412698412698413], rel=1e-12
    )


TARGETS = [[3, -0.5], [2, 1], [7, -6], [5, 0.25]], [[2.5, 0], [0, 2], [8, -5], [5.5, 0.25]]
ERRORS = ("mse", "rmse", "mae", "median_ae", "mape", "r2", "explained_variance", "pinball")


def test_regression_metrics_agree_with_scikit_learn() -> None:
    one, two = regression([3, 2, 7, 5], [2.5, 0, 8, 5.5]), regression(*TARGETS)
    assert [value(name, one) for name in ERRORS] == pytest.approx(
        [1.375, 1.1726039399558574, 1, 0.75, 0.3523809523809524, 0.6271186440677966, 0.6440677966101696, 0.5],
        rel=1e-12,
    )
    assert [value(name, two) for name in ERRORS] == pytest.approx(
        [
            0.96875,
            0.9613019699779287,
            0.8125,
            0.75,
            0.4470238095238095,
            0.7765793528505394,
            0.8107344632768362,
            0.40625,
        ],
        rel=1e-12,
    )
    assert value("pinball", two, q=0.9) == pytest.approx(0.33125, rel=1e-12)
    assert value("pearson", two) == pytest.approx(0.9904474328899928, rel=1e-12)
    assert (value("max_error", one), value("max_error", two)) == (2, 1.5)


def test_regression_metrics_with_weights_agree_with_scikit_learn() -> None:
    p = regression(*TARGETS, weight=WEIGHTS[:4])
    assert [value(name, p) for name in ERRORS] == pytest.approx(
        [
            0.9423076923076923,
            0.9296923426209842,
            0.7307692307692308,
            0.5,
            0.43241758241758244,
            0.6438842229831916,
            0.7071082571075946,
            0.3653846153846154,
        ],
        rel=1e-12,
    )
    assert value("pinball", p, q=0.9) == pytest.approx(0.35, rel=1e-12)


@pytest.mark.parametrize("task", NAMES)
def test_without_any_weight_no_mean_has_a_value(task: str) -> None:
    p = replace(drawn(task), weight=np.zeros(40))
    sums = {"precision", "recall", "specificity", "f1", "mcc", "pr_auc", "macro_f1", "weighted_f1", "micro_f1"}
    counts = sums | {"macro_precision", "macro_recall"}  # of nothing, 0
    without = {name for name in NAMES[task].split() if math.isnan(value(name, p))}
    assert without == set(NAMES[task].split()) - counts
