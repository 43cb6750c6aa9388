"""Numbers told by one feature."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

BINS = 50


def explained(
    values: Array, truth: Array, held: Array, answer: Array, *, is_category: bool
) -> Iterator[tuple[str, float, float]]:
    """The shares of the variance that a feature explains: of what, in its own rows, in the rows held out.

    Of the ranks of the truth by their means in 50 bins with equally many rows, or at the levels of a category: this
    finds every curve, whatever the units. Of the numbers themselves by the straight line of least squares, which finds
    a copy in other units even where few rows have nearly all of the variance. A missing cell is a bin and is not on
    the line: there, and in unknown bins, stands the mean. The share is R2 = 1 - sum (y - f)^2 / sum (y - mean y)^2.
    Shapes: values (n,) with nan for missing, truth (n,); held (m,), answer (m,)
    """
    truth, answer = np.asarray(truth, np.float64), np.asarray(answer, np.float64)
    there = np.sort(truth)
    ranks, of_held = _ranks(truth, there), _ranks(answer, there)
    own, guesses = _means(_bins(values, values, is_category), _bins(held, values, is_category), ranks)
    yield "of its ranks", _share(own, ranks), _share(guesses, of_held)
    if not is_category:
        own, guesses = _line(values, held, truth)
        yield "of its numbers", _share(own, truth), _share(guesses, answer)


def _ranks(values: Array, there: Array) -> Array:
    """The share of sorted numbers that are below each value, equal ones counted by half."""
    ranks: Array = (np.searchsorted(there, values) + np.searchsorted(there, values, "right")) / (2 * len(there))
    return ranks


def _bins(values: Array, known: Array, is_category: bool) -> Array:
    """The bin of every cell, or its level; -1 where missing."""
    if is_category:
        return np.nan_to_num(values, nan=-1)
    present = np.sort(known[~np.isnan(known)])
    cuts = np.unique(present[np.arange(1, BINS) * len(present) // BINS]) if len(present) else present
    bins: Array = np.where(np.isnan(values), -1, np.searchsorted(cuts, values, "right"))
    return bins


def _means(bins: Array, held: Array, truth: Array) -> tuple[Array, Array]:
    """The mean of the truth in the bin of every row, of its own rows and of those held out."""
    known, inverse = np.unique(bins, return_inverse=True)
    means = np.bincount(inverse, truth) / np.bincount(inverse)
    places = np.minimum(np.searchsorted(known, held), len(known) - 1)
    return means[inverse], np.where(known[places] == held, means[places], truth.mean())


def _line(values: Array, held: Array, truth: Array) -> tuple[Array, Array]:
    """The line of least squares through the cells that are present, at the rows' own and at those held out."""
    present = ~np.isnan(values)
    x, y, mean = values[present], truth[present], float(truth.mean())
    spread = float(np.ptp(x)) if len(x) else 0.0
    if spread == 0:
        return np.full(len(values), mean), np.full(len(held), mean)
    centre, height = float(x.mean()), float(y.mean())
    z = (x - centre) / spread
    slope = float((z * (y - height)).sum() / np.square(z).sum())

    def at(cells: Array) -> Array:
        return np.where(np.isnan(cells), mean, height + slope * ((cells - centre) / spread))

    return at(values), at(held)


def _share(guesses: Array, truth: Array) -> float:
    around = float(np.square(truth - truth.mean()).sum())
    return 1 - float(np.square(truth - guesses).sum()) / around if around > 0 else 0.0
