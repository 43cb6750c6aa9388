"""What is said several times about the same few rows: after one epoch and the next, or by one network and another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnctl.metrics.predictions import Predictions, kept


class Series:
    """Predictions of the same rows, one after the other: what they share is looked at once.

    ``rows`` are the first of them, in which metrics find the truth; ``said`` are all of them as if they were rows of
    one split. Rows have no weights.
    Shapes: E predictions of N rows; predicted (E, N), or (E, N, L) labels, or (E, N) or (E, N, T) values
    """

    def __init__(self, rows: Predictions, said: Predictions) -> None:
        self.rows, self.said = rows, said
        self.count = len(said.truth) // len(rows.truth)

    @kept
    def predicted(self) -> NDArray[Any]:
        return self.said.predicted.reshape(self.count, *self.rows.truth.shape)

    @kept
    def confusion(self) -> NDArray[np.int64]:
        """``Predictions.confusion`` of each, (E, C, C)."""
        classes = self.rows.classes
        first = np.arange(self.count)[:, None] * classes**2 + self.rows.truth.astype(np.int64) * classes
        counts = np.bincount((first + self.predicted).ravel(), minlength=self.count * classes**2)
        return counts.reshape(self.count, classes, classes)

    def share(self, code: int) -> NDArray[np.float64]:
        """The probability of a class, (E, N)."""
        return self.said.share(code).reshape(self.count, -1)

    def mean_of(self, values: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> NDArray[np.float64]:
        """The mean over the rows of what ``values`` makes of predicted minus true values (E, N, T): (E, T)."""
        deviation = np.subtract(self.predicted.reshape(self.count, *self.rows.values.shape), self.rows.values)
        columns = np.ascontiguousarray(values(deviation).swapaxes(1, 2))  # as ``Predictions`` sums them
        means: NDArray[np.float64] = np.add.reduce(columns, axis=-1) / self.rows.total
        return means

    def __iter__(self) -> Iterator[Predictions]:
        size = len(self.rows.truth)
        return (self.said.part(slice(start, start + size)) for start in range(0, self.count * size, size))
