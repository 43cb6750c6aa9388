"""Coefficient of determination."""

from __future__ import annotations

import math

from nnctl.component import component
from nnctl.metrics import Metric, Predictions, explained, squared_errors, values_of, variances


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
        return explained(squared_errors(p), variances(p, values_of)) if len(p.truth) > 1 else math.nan
