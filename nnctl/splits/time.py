"""A split in the order of time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nnctl.blocks import blocks
from nnctl.component import component, option
from nnctl.splits import Parts, Rows, SizedSplit, parts_where
from nnctl.transforms.selection import by_rank

Times = NDArray[np.float64]


@component("time", examples=[{}, {"val": 0.1, "test": 30}, {"column": "day"}])
class Time(SizedSplit):
    """In the order of a column, or else of the file: the first rows train, the next validate, the last test.

    Rows of one time stay in the order of the file, and a cut may fall between them. Nothing is drawn. The column holds
    numbers, declared dates, or dates as ISO 8601 writes them. It is a feature only if ``data.columns`` says how it is
    scaled or encoded.

    Raises: SpecError if a fraction is not below 1; DataError if no training row would be left.
    """

    orders = True
    complete = True
    unfoldable = (
        "all folds but the last would train on rows that come later than those they validate on; write `type: random` "
        "if that does no harm"
    )

    column: str | None = option(default=None, help="Column to order the rows by; null: file order.")

    def cut(self, rows: Rows, rng: np.random.Generator) -> Parts:
        val, test = self.sizes(rows.count)
        later = np.zeros(rows.count, np.int8)  # in how many of the other parts a row might be, the last one first
        for stop in (rows.count - test - val, rows.count - test):
            _count_from(later, stop, rows.times)
        return parts_where(2 - later)


def _count_from(later: NDArray[np.int8], stop: int, times: Times | None) -> None:
    """Add 1 to the rows that come after the first ``stop`` ones in the order of time, or else of the file."""
    if times is None:
        later[stop:] += 1
    elif stop < len(later):
        pieces = [(rows, later[rows]) for rows in blocks(len(later))]
        # No order of all rows is made: that at the cut is enough.
        first = by_rank(lambda: (np.asarray(times[rows], np.float64) for rows, _ in pieces), np.array([stop]))[0]
        before = sum(int(np.count_nonzero(times[rows] < first)) for rows, _ in pieces)
        for rows, piece in pieces:
            at, same = times[rows], np.flatnonzero(times[rows] == first)
            piece += at > first
            piece[same[max(0, stop - before) :]] += 1
            before += len(same)
