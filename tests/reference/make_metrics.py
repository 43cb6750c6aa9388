"""Metrics with scikit-learn: ties, absent classes and weights among the cases."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from sklearn import metrics as sk

from tests.reference.records import Array, Record, make, numbers

SKLEARN = "scikit-learn 1.9.1"
Score = Callable[..., float]
ROWS = 40
SHARED = ("task", "truth", "predicted", "probability", "weight")  # written once for all metrics of a case


def records() -> list[Record]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of classes that are absent
        made = [*_binary(), *_multiclass(), *_regression(), *_multilabel()]
    cases = {record["case"]: {key: record.pop(key) for key in SHARED} for record in made}
    return [*(make("cases", case, "numbers", **content) for case, content in cases.items()), *made]


def _weights(task: str) -> list[Array | None]:
    drawn = np.round(np.abs(numbers(f"weights {task}", ROWS)), 2)
    drawn[:3] = 0
    return [None, drawn]


def _case(task: str, case: str, weight: Array | None, **content: Any) -> dict[str, Any]:
    return {
        "task": task,
        "case": f"{task} {case}" + ("" if weight is None else " weighted"),
        "weight": weight,
        **content,
    }


def _ece(bins: int) -> Score:
    """Guo et al. 2017, as a loop over bins that hold their upper end."""

    def score(truth: Array, predicted: Array, probability: Array, w: Array | None) -> float:
        w = np.ones(len(truth)) if w is None else w
        confidence = probability[np.arange(len(truth)), predicted]
        total = 0.0
        for place in range(bins):
            low = -1.0 if place == 0 else place / bins
            inside = (confidence > low) & (confidence <= (place + 1) / bins)
            if w[inside].sum() > 0:
                right = np.average(truth[inside] == predicted[inside], weights=w[inside])
                total += w[inside].sum() * abs(right - np.average(confidence[inside], weights=w[inside]))
        return float(total / w.sum())

    return score


def _binary() -> list[Record]:
    truth = (numbers("truth", ROWS) > 0).astype(int)
    smooth = 1 / (1 + np.exp(-(2 * truth - 1) - numbers("binary scores", ROWS, scale=1.5)))
    cases = {
        "smooth": (truth, np.round(smooth, 4)),
        "ties": (truth, np.round(smooth * 4) / 4),
        "never predicted": (truth, np.round(smooth * 0.4, 4)),
        "certain": (truth, np.where(np.arange(ROWS) % 5 == 0, 1.0 * (smooth > 0.5), np.round(smooth, 3))),
    }
    zero = {"zero_division": 0}
    scores: list[tuple[str, Mapping[str, Any], str, Score]] = [
        ("accuracy", {}, "accuracy_score", lambda t, p, q, w: sk.accuracy_score(t, p, sample_weight=w)),
        (
            "balanced_accuracy",
            {},
            "balanced_accuracy_score",
            lambda t, p, q, w: sk.balanced_accuracy_score(t, p, sample_weight=w),
        ),
        ("precision", {}, "precision_score", lambda t, p, q, w: sk.precision_score(t, p, sample_weight=w, **zero)),
        ("recall", {}, "recall_score", lambda t, p, q, w: sk.recall_score(t, p, sample_weight=w, **zero)),
        (
            "specificity",
            {},
            "recall_score(pos_label=0)",
            lambda t, p, q, w: sk.recall_score(t, p, pos_label=0, sample_weight=w, **zero),
        ),
        ("f1", {}, "f1_score", lambda t, p, q, w: sk.f1_score(t, p, sample_weight=w, **zero)),
        ("roc_auc", {}, "roc_auc_score", lambda t, p, q, w: sk.roc_auc_score(t, q[:, 1], sample_weight=w)),
        (
            "pr_auc",
            {},
            "average_precision_score",
            lambda t, p, q, w: sk.average_precision_score(t, q[:, 1], sample_weight=w),
        ),
        ("log_loss", {}, "log_loss", lambda t, p, q, w: sk.log_loss(t, q, sample_weight=w)),
        ("brier", {}, "brier_score_loss", lambda t, p, q, w: sk.brier_score_loss(t, q[:, 1], sample_weight=w)),
        ("mcc", {}, "matthews_corrcoef", lambda t, p, q, w: sk.matthews_corrcoef(t, p, sample_weight=w)),
        ("ece", {}, "", _ece(15)),
        ("ece", {"bins": 5}, "", _ece(5)),
    ]
    made = []
    for case, (codes, positive) in cases.items():
        probability = np.stack([1 - positive, positive], axis=1)
        predicted = (positive > 0.5).astype(int)
        for weight in _weights("binary"):
            content = _case("binary", case, weight, truth=codes, predicted=predicted, probability=probability)
            for name, options, function, score in scores:
                source = f"{SKLEARN} {function}" if function else "Guo et al. 2017, plain NumPy"
                made.append(
                    make(
                        "metrics", name, source, options, value=score(codes, predicted, probability, weight), **content
                    )
                )
    return made


def _multiclass() -> list[Record]:
    truth = np.digitize(numbers("classes", ROWS), [-0.6, 0.1, 0.9])
    raw = numbers("class scores", ROWS, 4) + 1.5 * np.eye(4)[truth]
    smooth = np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True)
    coarse = np.round(smooth * 8) / 8 + 1 / 64
    absent = smooth * [1, 1, 1, 1e-3]
    cases = {
        "smooth": (truth, smooth),
        "ties": (truth, coarse / coarse.sum(axis=1, keepdims=True)),
        "never predicted": (truth, absent / absent.sum(axis=1, keepdims=True)),
    }
    labels = list(range(4))

    def averaged(function: Score, average: str) -> Score:
        return lambda t, p, q, w: function(t, p, average=average, sample_weight=w, zero_division=0)

    def top(k: int) -> Score:
        return lambda t, p, q, w: sk.top_k_accuracy_score(t, q, k=k, labels=labels, sample_weight=w)

    def ovr(t: Array, p: Array, q: Array, w: Array | None) -> float:
        return sk.roc_auc_score(t, q, multi_class="ovr", average="macro", labels=labels, sample_weight=w)

    scores: list[tuple[str, Mapping[str, Any], str, Score]] = [
        ("accuracy", {}, "accuracy_score", lambda t, p, q, w: sk.accuracy_score(t, p, sample_weight=w)),
        (
            "balanced_accuracy",
            {},
            "balanced_accuracy_score",
            lambda t, p, q, w: sk.balanced_accuracy_score(t, p, sample_weight=w),
        ),
        ("top_k_accuracy", {}, "top_k_accuracy_score", top(2)),
        ("top_k_accuracy", {"k": 3}, "top_k_accuracy_score", top(3)),
        ("macro_f1", {}, "f1_score(average='macro')", averaged(sk.f1_score, "macro")),
        ("weighted_f1", {}, "f1_score(average='weighted')", averaged(sk.f1_score, "weighted")),
        ("macro_precision", {}, "precision_score(average='macro')", averaged(sk.precision_score, "macro")),
        ("macro_recall", {}, "recall_score(average='macro')", averaged(sk.recall_score, "macro")),
        ("roc_auc_ovr", {}, "roc_auc_score(multi_class='ovr')", ovr),
        ("log_loss", {}, "log_loss", lambda t, p, q, w: sk.log_loss(t, q, labels=labels, sample_weight=w)),
        ("mcc", {}, "matthews_corrcoef", lambda t, p, q, w: sk.matthews_corrcoef(t, p, sample_weight=w)),
        ("kappa", {}, "cohen_kappa_score", lambda t, p, q, w: sk.cohen_kappa_score(t, p, sample_weight=w)),
        ("ece", {}, "", _ece(15)),
    ]
    made = []
    for case, (codes, probability) in cases.items():
        predicted = probability.argmax(axis=1)
        for weight in _weights("multiclass"):
            content = _case("multiclass", case, weight, truth=codes, predicted=predicted, probability=probability)
            for name, options, function, score in scores:
                source = f"{SKLEARN} {function}" if function else "Guo et al. 2017, plain NumPy"
                made.append(
                    make(
                        "metrics", name, source, options, value=score(codes, predicted, probability, weight), **content
                    )
                )
    return [*made, *_absent()]


def _absent() -> list[Record]:
    """A class without a true row, and one that is neither true nor predicted."""
    truth = np.array([0, 0, 1, 1, 0, 1, 1, 0])
    predicted = np.array([0, 1, 1, 2, 0, 1, 2, 0])
    keys = {"zero_division": 0}
    values = {
        "accuracy": sk.accuracy_score(truth, predicted),
        "balanced_accuracy": sk.balanced_accuracy_score(truth, predicted),
        "macro_f1": sk.f1_score(truth, predicted, average="macro", **keys),
        "weighted_f1": sk.f1_score(truth, predicted, average="weighted", **keys),
        "macro_precision": sk.precision_score(truth, predicted, average="macro", **keys),
        "macro_recall": sk.recall_score(truth, predicted, average="macro", **keys),
        "mcc": sk.matthews_corrcoef(truth, predicted),
        "kappa": sk.cohen_kappa_score(truth, predicted),
    }
    content = _case("multiclass", "absent class", None, truth=truth, predicted=predicted)
    probability = np.eye(4)[predicted]
    return [
        make("metrics", name, SKLEARN, probability=probability, value=value, **content)
        for name, value in values.items()
    ]


def _pearson(t: Array, p: Array, w: Array | None) -> float:
    covariance = np.cov(t, p, aweights=w)
    return float(covariance[0, 1] / math.sqrt(covariance[0, 0] * covariance[1, 1]))


def _regression() -> list[Record]:
    truth = numbers("true values", ROWS, scale=3) + 2
    near = truth + numbers("errors", ROWS)
    two = np.stack([truth, numbers("true too", ROWS)], axis=1)
    cases = {
        "near": (truth, near),
        "ties": (np.round(truth), np.round(near)),
        "worse than the mean": (truth, -near),
        "two": (two, two + numbers("errors of two", ROWS, 2)),
    }
    scores: list[tuple[str, Mapping[str, Any], str, Score]] = [
        ("mse", {}, "mean_squared_error", lambda t, p, w: sk.mean_squared_error(t, p, sample_weight=w)),
        ("rmse", {}, "root_mean_squared_error", lambda t, p, w: sk.root_mean_squared_error(t, p, sample_weight=w)),
        ("mae", {}, "mean_absolute_error", lambda t, p, w: sk.mean_absolute_error(t, p, sample_weight=w)),
        ("median_ae", {}, "median_absolute_error", lambda t, p, w: sk.median_absolute_error(t, p, sample_weight=w)),
        (
            "mape",
            {},
            "mean_absolute_percentage_error",
            lambda t, p, w: sk.mean_absolute_percentage_error(t, p, sample_weight=w),
        ),
        ("r2", {}, "r2_score", lambda t, p, w: sk.r2_score(t, p, sample_weight=w)),
        (
            "explained_variance",
            {},
            "explained_variance_score",
            lambda t, p, w: sk.explained_variance_score(t, p, sample_weight=w),
        ),
        ("pinball", {}, "mean_pinball_loss", lambda t, p, w: sk.mean_pinball_loss(t, p, sample_weight=w)),
        (
            "pinball",
            {"q": 0.9},
            "mean_pinball_loss",
            lambda t, p, w: sk.mean_pinball_loss(t, p, alpha=0.9, sample_weight=w),
        ),
        ("max_error", {}, "max_error", _max_error),
        ("pearson", {}, "", _pearson),
    ]
    made = []
    for case, (values, predicted) in cases.items():
        for weight in _weights("regression"):
            content = _case("regression", case, weight, truth=values, predicted=predicted, probability=None)
            for name, options, function, score in scores:
                if values.ndim > 1 and name in ("max_error", "pearson"):
                    continue
                source = f"{SKLEARN} {function}" if function else "Pearson 1895, by numpy.cov"
                made.append(make("metrics", name, source, options, value=score(values, predicted, weight), **content))
    return made


def _max_error(truth: Array, predicted: Array, weight: Array | None) -> float:
    """scikit-learn's, which takes no weights, for the rows that count."""
    rows = slice(None) if weight is None else weight > 0
    return float(sk.max_error(truth[rows], predicted[rows]))


def _multilabel() -> list[Record]:
    truth = (numbers("labels", ROWS, 3) > 0.2).astype(int)
    predicted = np.where(numbers("flips", ROWS, 3) > 1, 1 - truth, truth)
    never = predicted * [1, 1, 0]

    def averaged(average: str) -> Score:
        return lambda t, p, w: sk.f1_score(t, p, average=average, sample_weight=w, zero_division=0)

    scores: list[tuple[str, str, Score]] = [
        ("subset_accuracy", "accuracy_score", lambda t, p, w: sk.accuracy_score(t, p, sample_weight=w)),
        ("hamming", "hamming_loss", lambda t, p, w: sk.hamming_loss(t, p, sample_weight=w)),
        ("micro_f1", "f1_score(average='micro')", averaged("micro")),
        ("macro_f1", "f1_score(average='macro')", averaged("macro")),
    ]
    made = []
    for case, labels in (("some", predicted), ("a label never", never)):
        for weight in _weights("multilabel"):
            content = _case("multilabel", case, weight, truth=truth, predicted=labels, probability=None)
            for name, function, score in scores:
                made.append(
                    make("metrics", name, f"{SKLEARN} {function}", value=score(truth, labels, weight), **content)
                )
    return made
