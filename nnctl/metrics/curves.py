"""What a threshold that moves through the scores lets in: the curves under which areas are taken."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nnctl.metrics import Predictions, Series, ratios

SORTED_AT_ONCE = 2**20  # rows
FEW = 128  # rows; up to here it is faster to compare all pairs than to sort
PAIRS_AT_ONCE = 2**16  # half a megabyte
_SAMPLE = 2**12  # rows that show where the scores lie


class _Rows(NamedTuple):
    """The rows of one kind with scores in some range, in the order of their scores."""

    scores: NDArray[np.float64]
    weight: NDArray[np.float64] | None

    def total(self) -> float:
        """The weight of all of them."""
        return len(self.scores) if self.weight is None else float(self.weight.sum())

    def sum(self, values: NDArray[Any]) -> float:
        """The sum of values of the rows, each times its weight."""
        return float(np.add.reduce(values if self.weight is None else values * self.weight))

    def up_to(self, scores: NDArray[np.float64], *, ties: bool) -> NDArray[Any]:
        """The weight of the rows below each of the scores; with ``ties`` also of those at it."""
        counts = np.searchsorted(self.scores, scores, side="right" if ties else "left")
        return counts if self.weight is None else np.append(0.0, np.cumsum(self.weight))[counts]


def roc_area(p: Predictions, code: int) -> float:
    """The area under hits by false alarms of a class; nan where all rows or none are of it, or a score is nan.

    Source: the rank sum of Mann and Whitney 1947, in which ties count half, as in trapezoids that join them.
    """
    if p.weight is None and len(p.truth) <= FEW:
        return _by_pairs(p, code)
    twice, hits, alarms, rows = 0.0, 0.0, 0.0, 0
    for positive, negative in _ranges(p, code, sign=1):
        below = negative.up_to(positive.scores, ties=False) + negative.up_to(positive.scores, ties=True)
        hit = positive.total()
        # Without weights all of these are whole numbers, and the sums are exact.
        twice += positive.sum(below) + 2 * alarms * hit
        hits, alarms = hits + hit, alarms + negative.total()
        rows += len(positive.scores) + len(negative.scores)
    whole = hits * alarms
    return twice / (2 * whole) if whole > 0 and rows == len(p.truth) else math.nan


def roc_areas(series: Series, code: int) -> list[float]:
    """The same of each of a series."""
    hits, alarms = series.rows.rows_of(code)
    pairs = len(hits) * len(alarms)
    if len(series.rows.truth) > FEW or not pairs:
        return [roc_area(p, code) for p in series]
    share, found = series.share(code), []
    step = max(1, PAIRS_AT_ONCE // pairs)
    for start in range(0, series.count, step):
        some = share[start : start + step]
        signs = np.subtract(some.take(hits, -1)[:, :, None], some.take(alarms, -1)[:, None, :])
        np.sign(signs, signs)
        found += np.add.reduce(signs.reshape(len(some), pairs), -1).tolist()
    return [(1 + balance / pairs) / 2 for balance in found]


def average_precision(p: Predictions, code: int) -> float:
    """The mean of the precision over the steps of the recall; 0 without a row of the class, nan if a score is nan."""
    precision, hits, alarms, rows = 0.0, 0.0, 0.0, 0
    for positive, negative in _ranges(p, code, sign=-1):  # the threshold sinks
        let_in = hits + positive.up_to(positive.scores, ties=True)
        wrong = alarms + negative.up_to(positive.scores, ties=True)
        precision += positive.sum(ratios(let_in, let_in + wrong))
        hits, alarms = hits + positive.total(), alarms + negative.total()
        rows += len(positive.scores) + len(negative.scores)
    if rows < len(p.truth):
        return math.nan
    return precision / hits if hits > 0 else 0.0


def _ranges(p: Predictions, code: int, *, sign: int) -> Iterator[tuple[_Rows, _Rows]]:
    """The rows of the class and the others, in the order of their scores times the sign, range after range of it.

    A row whose score is nan is in none of them. What is sorted together are about ``SORTED_AT_ONCE`` rows.
    """
    for above, last in pairwise(_edges(p, code, sign)):
        parts: list[tuple[_Rows, _Rows]] = []
        for rows in p.blocks():
            scores = sign * rows.share(code)
            inside, of_class = (scores > above) & (scores <= last), rows.truth == code
            parts.append((_taken(rows, scores, inside & of_class), _taken(rows, scores, inside & ~of_class)))
        positive, negative = zip(*parts, strict=True)
        yield _sorted(positive), _sorted(negative)


def _by_pairs(p: Predictions, code: int) -> float:
    """The same for few rows: the mean over all pairs of 1 where the right one of the two has more, 1/2 for a tie."""
    share = p.share(code)
    hits, alarms = p.rows_of(code)
    pairs = len(hits) * len(alarms)
    if not pairs:
        return math.nan
    signs = np.subtract.outer(share.take(hits), share.take(alarms))  # nan where a score is
    np.sign(signs, signs)
    return (1 + float(np.add.reduce(signs, None)) / pairs) / 2


def _edges(p: Predictions, code: int, sign: int) -> list[float]:
    """Scores that part the rows into ranges of about as many as can be sorted together; where is of no consequence."""
    count = -(-len(p.truth) // SORTED_AT_ONCE)
    if count == 1:
        return [-math.inf, math.inf]
    sample = np.sort(sign * p.part(slice(None, None, -(-len(p.truth) // _SAMPLE))).share(code))
    between = sample[np.arange(1, count) * len(sample) // count]
    return [-math.inf, *np.unique(between).tolist(), math.inf]


def _taken(rows: Predictions, scores: NDArray[np.float64], chosen: NDArray[np.bool_]) -> _Rows:
    return _Rows(scores.compress(chosen), None if rows.weight is None else rows.weight.compress(chosen))


def _sorted(parts: Sequence[_Rows]) -> _Rows:
    scores = parts[0].scores if len(parts) == 1 else np.concatenate([part.scores for part in parts])
    weights = [part.weight for part in parts if part.weight is not None]
    if not weights:
        scores.sort()
        return _Rows(scores, None)
    order = np.argsort(scores)
    return _Rows(scores[order], np.concatenate(weights)[order].astype(np.float64, copy=False))
