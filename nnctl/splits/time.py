"""A split in the order of time."""

from __future__ import annotations

import numpy as np

from nnctl.component import component, option
from nnctl.splits import Parts, Rows, SizedSplit, parts_of


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
        order = np.arange(rows.count) if rows.times is None else np.argsort(rows.times, kind="stable")
        return parts_of(*np.split(order, [rows.count - test - val, rows.count - test]))
