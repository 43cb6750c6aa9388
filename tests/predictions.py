"""Small predictions for the tests of metrics."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnctl.component import registry
from nnctl.metrics import Metric, Predictions


def value(name: str, predictions: Predictions, **options: Any) -> float:
    return registry.all("metrics", Metric)[name](**options).compute(predictions)


def binary(truth: Any, scores: Any, *, positive: int = 1, weight: Any = None) -> Predictions:
    """Two classes; ``scores`` are the probabilities of class 1."""
    score = np.array(scores, dtype=float)
    predicted = (score > 0.5).astype(np.int64)
    probability = np.stack([1 - score, score], 1)
    return Predictions("binary", np.array(truth), predicted, probability, 2, positive, weights(weight))


def multiclass(truth: Any, probability: Any, weight: Any = None) -> Predictions:
    found = np.array(probability, dtype=float)
    return Predictions("multiclass", np.array(truth), found.argmax(1), found, found.shape[1], weight=weights(weight))


def multilabel(truth: Any, predicted: Any, weight: Any = None) -> Predictions:
    said = np.array(predicted)
    return Predictions("multilabel", np.array(truth), said, said.astype(float), said.shape[1], weight=weights(weight))


def regression(truth: Any, predicted: Any, weight: Any = None) -> Predictions:
    true, said = np.array(truth, dtype=float), np.array(predicted, dtype=float)
    return Predictions("regression", true, said, None, 0, weight=weights(weight))


def weights(weight: Any) -> Any:
    return None if weight is None else np.array(weight, dtype=float)
