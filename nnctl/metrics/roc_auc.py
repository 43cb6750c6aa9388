"""Area under the receiver operating characteristic."""

from __future__ import annotations

import math

import numpy as np

from nnctl.component import component
from nnctl.metrics import Metric, Predictions


@component("roc_auc")
class RocAuc(Metric):
    """Chance that a positive row gets a higher probability than a negative one, ties counting half.

    It is ``(R - P (P + 1) / 2) / (P N)`` for P positive and N negative rows and R, the sum of the ranks of the
    positive ones; nan when P or N is 0, or a probability is nan.
    Source: Mann and Whitney 1947; exact, as scikit-learn's ``roc_auc_score``.
    """

    tasks = ("binary",)
    better = "higher"

    def compute(self, p: Predictions) -> float:
        assert p.probability is not None
        scores = p.probability[:, p.positive]
        truth = p.truth == p.positive
        positives = int(truth.sum())
        negatives = len(truth) - positives
        if positives == 0 or negatives == 0 or np.isnan(scores).any():
            return math.nan
        _, level, rows = np.unique(scores, return_inverse=True, return_counts=True)
        # Twice the mean rank of equal scores is a whole number, so that the sum is exact.
        double_ranks = 2 * np.cumsum(rows) - rows + 1
        double_sum = int(double_ranks[level[truth]].sum())
        return (double_sum - positives * (positives + 1)) / (2 * positives * negatives)
