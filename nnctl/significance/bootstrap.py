"""The paired bootstrap: how far the difference of two metrics could lie elsewhere on other rows of the same kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnctl.metrics import Metric, Predictions

Array = NDArray[Any]

RESAMPLES = 2_000
FEWEST = 200
NUMBERS_AT_ONCE = 2**20  # drawn rows in memory
MOST_DRAWN = 10**8  # rows that a metric is computed for which is no function of means over rows
OUTSIDE = (2.5, 97.5)  # percentiles


@dataclass(frozen=True, slots=True)
class Interval:
    """A difference, b - a, and the interval that holds 95 % of those on resampled rows."""

    difference: float
    low: float
    high: float
    resamples: int

    @property
    def clear(self) -> bool:
        """Whether the interval leaves out 0."""
        return not self.low <= 0 <= self.high


def paired_bootstrap(a: Predictions, b: Predictions, metric: Metric, *, seed: int = 0) -> Interval:
    """The percentile interval of ``metric(b) - metric(a)``; both are computed on the same resampled rows.

    Rows are drawn with replacement, as many as there are; a row drawn twice counts as two. Above 50,000 rows, metrics
    such as roc_auc get fewer than 2,000 resamples. A resample on which the metric has no value is left out.
    Source: Efron and Tibshirani 1993, chapters 8 and 13 (percentile interval).
    """
    rng = np.random.default_rng(seed)
    difference = metric.compute(b) - metric.compute(a)
    drawn = np.fromiter(_differences(a, b, metric, rng), np.float64)
    drawn = drawn[np.isfinite(drawn)]
    low, high = np.percentile(drawn, OUTSIDE).tolist() if len(drawn) else (np.nan, np.nan)
    return Interval(float(difference), low, high, len(drawn))


def _differences(a: Predictions, b: Predictions, metric: Metric, rng: np.random.Generator) -> Iterator[float]:
    rows = len(a.truth)
    if metric.name == "accuracy" and a.weight is None:
        yield from _of_right_rows(a.truth == a.predicted, b.truth == b.predicted, rng)
    elif metric.name in MEANS:
        yield from _of_means(a, b, MEANS[metric.name], rng)
    else:
        weight = np.ones(rows) if a.weight is None else a.weight
        for counts in _counts(rows, min(RESAMPLES, max(FEWEST, MOST_DRAWN // rows)), rng):
            for each in counts:
                drawn = each * weight
                yield metric.compute(replace(b, weight=drawn)) - metric.compute(replace(a, weight=drawn))


def _of_right_rows(right_a: Array, right_b: Array, rng: np.random.Generator) -> Iterator[float]:
    """Of fractions of right rows: only how many rows are right in which of the two matters."""
    better, worse = np.count_nonzero(right_b & ~right_a), np.count_nonzero(right_a & ~right_b)
    rows = len(right_a)
    shares = np.array([better, worse, rows - better - worse]) / rows
    counts = rng.multinomial(rows, shares, size=RESAMPLES)
    yield from ((counts[:, 0] - counts[:, 1]) / rows).tolist()


def _of_means(a: Predictions, b: Predictions, mean: Mean, rng: np.random.Generator) -> Iterator[float]:
    """Of metrics that are read off means over rows: many resamples are one matrix product."""
    weight = np.ones(len(a.truth)) if a.weight is None else a.weight.astype(np.float64)
    values = [mean.of_rows(each) * weight[:, None] for each in (a, b)]  # (N, T)
    for counts in _counts(len(weight), RESAMPLES, rng):
        total = (counts @ weight)[:, None]
        with np.errstate(invalid="ignore", divide="ignore"):
            in_a, in_b = (mean.of_means(counts @ each / total).mean(axis=-1) for each in values)
        yield from (in_b - in_a).tolist()


def _counts(rows: int, resamples: int, rng: np.random.Generator) -> Iterator[Array]:
    """How often each row is drawn, resamples by rows (R, N), some resamples at a time."""
    at_once = max(1, NUMBERS_AT_ONCE // rows)
    for start in range(0, resamples, at_once):
        count = min(at_once, resamples - start)
        drawn = rng.integers(rows, size=(count, rows))
        drawn += np.arange(count)[:, None] * rows
        yield np.bincount(drawn.ravel(), minlength=count * rows).reshape(count, rows).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Mean:
    """A metric as a function of means over rows, whose mean over the targets it is."""

    of_rows: Callable[[Predictions], Array]  # (N, T)
    of_means: Callable[[Array], Array] = np.asarray


MEANS = {
    "accuracy": Mean(lambda p: (p.truth == p.predicted).astype(np.float64)[:, None]),
    "mae": Mean(lambda p: np.abs(p.deviation)),
    "mse": Mean(lambda p: p.deviation**2),
    "rmse": Mean(lambda p: p.deviation**2, np.sqrt),
}
