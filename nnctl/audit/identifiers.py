"""Columns that number the rows."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnctl.audit.rows import MOST_ROWS, Seen, evenly
from nnctl.data.table import Column
from nnctl.data.wording import code

Array = NDArray[Any]

FEWEST = 20  # in fewer rows a measurement is easily all distinct, and in order
DISTINCT = 0.99
IN_ORDER = 0.99
SPREAD = 2.0
NAMED = re.compile(
    r"(?i:(^|[_\W])(id|ids|idx|index|key|no|nr|num|number|row|uuid|serial)$)|[a-z](ID|Id|No|Nr)$|^Unnamed: \d+$"
)


def identifiers(seen: Seen) -> dict[str, str]:
    """Columns of whole numbers that say which row it is, with a sentence about each.

    The cells of a row number are whole, at least 99 % of them are present and at least 99 % of those are distinct, and
    one of these holds: in 99 % of the steps from a row of the file to the next they go the same way (a counter, a
    file in the order of a key); they fill their range to at least a half (a counter, shuffled); or the column's name
    ends like that of a key. Looked for in the table of the training rows, if it has at least 20 rows.
    """
    table = seen.train.table
    rows = evenly(table.rows, MOST_ROWS)
    found = {}
    for name in seen.features:
        column = table.columns[name]
        why = _why(column, np.asarray(column.values[rows]), table.rows) if column.whole else ""
        if why and len(rows) >= FEWEST:
            found[name] = (
                f"column {code(name)} numbers the rows: {why}; a network can learn the file by heart with it, and new "
                "rows have other numbers: list it in `data.id` or `data.drop`"
            )
    return found


def _why(column: Column, values: Array, rows: int) -> str:
    """What makes the numbers those of rows; nothing if they are not."""
    present = values[~np.isnan(values)]
    distinct = len(np.unique(present))
    if distinct < 2 or len(present) < DISTINCT * len(values) or distinct < DISTINCT * len(present):
        return ""
    low, high = float(present.min()), float(present.max())
    few = "" if len(values) == rows else f" (evenly spaced ones of {rows:,})"
    what = f"{distinct:,} distinct whole numbers from {low:.15g} to {high:.15g} in {len(values):,} rows{few}"
    steps = np.diff(present)
    way = "rising" if (steps > 0).mean() >= IN_ORDER else "falling" if (steps < 0).mean() >= IN_ORDER else ""
    if way:
        return f"{what}, {way} from row to row"
    if high - low + 1 <= SPREAD * rows or NAMED.search(column.name):
        return what
    return ""
