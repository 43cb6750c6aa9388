"""What a threshold that sinks through the scores lets in: the curves under which areas are taken."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray


def roc_area(scores: NDArray[Any], positive: NDArray[np.bool_], weight: NDArray[Any] | None) -> float:
    """The area under hits by false alarms; nan without a positive or a negative row, or where a score is nan.

    Source: the trapezoids join ties, which so count half, as in the rank sum of Mann and Whitney 1947.
    """
    if np.isnan(scores).any():
        return math.nan
    hits, alarms = _let_in(scores, positive, weight)
    whole = hits[-1] * alarms[-1]
    if not whole > 0:
        return math.nan
    # Without weights all of these are whole numbers, and the sum is exact.
    return float(np.sum(np.diff(alarms) * (hits[1:] + hits[:-1])) / (2 * whole))


def average_precision(scores: NDArray[Any], positive: NDArray[np.bool_], weight: NDArray[Any] | None) -> float:
    """The mean of the precision over the steps of the recall; 0 without a positive row, nan where a score is nan."""
    if np.isnan(scores).any():
        return math.nan
    hits, alarms = _let_in(scores, positive, weight)
    if not hits[-1] > 0:
        return 0.0
    gained = np.diff(hits)
    found = gained > 0
    precision = hits[1:][found] / (hits[1:] + alarms[1:])[found]
    return float(np.sum(gained[found] * precision) / hits[-1])


def _let_in(
    scores: NDArray[Any], positive: NDArray[np.bool_], weight: NDArray[Any] | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The weight of the positive, and of the negative, rows at or above each distinct score, from none to all."""
    falling = -scores
    order = np.argsort(falling)
    falling, positive = falling[order], positive[order]
    last = np.flatnonzero(np.append(falling[1:] != falling[:-1], True))  # of equal scores
    if weight is None:
        hits = np.cumsum(positive, dtype=np.float64)[last]
        alarms = last + 1 - hits
    else:
        counts = weight[order].astype(np.float64, copy=False)
        hits, alarms = (np.cumsum(np.where(chosen, counts, 0.0))[last] for chosen in (positive, ~positive))
    return np.concatenate([[0.0], hits]), np.concatenate([[0.0], alarms])
