"""Coefficient of determination."""

from __future__ import annotations

import math

import numpy as np

from nnctl.component import component
from nnctl.metrics import Metric, Predictions, squared_errors


@component("r2")
class R2(Metric):
    """Part of the target's variance that is explained, ``1 - mse / variance``; the mean over several targets.

    A target that does not vary gives 1 where all predictions are right, else 0. A single row has no value: nan.
    Source: scikit-learn's ``r2_score``, with one deviation: whether a target varies is seen from its values, not from
    a variance that rounding keeps from being zero.
    """

    tasks = ("regression",)
    better = "higher"

    def compute(self, p: Predictions) -> float:
        if len(p.truth) < 2:
            return math.nan
        truth = p.truth.reshape(len(p.truth), -1).astype(np.float64, copy=False)  # (N, T)
        errors = squared_errors(p)
        constant = truth.min(axis=0) == truth.max(axis=0)
        variance = np.where(constant, 1.0, ((truth - truth.mean(axis=0)) ** 2).mean(axis=0))
        scores = np.where(constant, np.where(errors == 0, 1.0, 0.0), 1 - errors / variance)
        return float(scores.mean())
