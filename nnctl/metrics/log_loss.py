"""Log loss of the predicted probabilities."""

from __future__ import annotations

import numpy as np

from nnctl.component import component
from nnctl.metrics import EPS, Metric, Predictions


@component("log_loss")
class LogLoss(Metric):
    """Mean of ``-log p`` over the rows, p the probability given to the true class.

    Source: scikit-learn's ``log_loss``: p is clipped to eps .. 1 - eps of float64, so that a certain error costs 36.
    """

    tasks = ("binary", "multiclass")
    better = "lower"
    needs_probability = True

    def compute(self, p: Predictions) -> float:
        return float(-p.mean_of(lambda rows: np.log(np.clip(rows.given(rows.truth), EPS, 1 - EPS))))
