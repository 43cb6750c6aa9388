"""Explained variance."""

from __future__ import annotations

from nnctl.component import component
from nnctl.metrics import Metric, Predictions, deviation_of, explained, values_of, variances


@component("explained_variance")
class ExplainedVariance(Metric):
    """``1 - variance of the errors / variance of the target``: ``r2`` without the mean error; the mean over targets.

    A target that does not vary, so that of a single row, gives 1 where all errors are equal, else 0.
    Source: scikit-learn's ``explained_variance_score``, with one deviation: whether something varies is seen from its
    values, not from a variance that rounding keeps from being zero.
    """

    tasks = ("regression",)
    better = "higher"

    def compute(self, p: Predictions) -> float:
        return float(explained(variances(p, deviation_of), variances(p, values_of)))
