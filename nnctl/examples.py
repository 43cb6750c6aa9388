"""From the rows of a table to what a network is trained and judged on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnctl.data.batches import Examples
from nnctl.data.cells import code
from nnctl.data.table import Table
from nnctl.data.target import Target
from nnctl.data.weights import row_weights
from nnctl.errors import DataError, Place, Problem
from nnctl.losses import Loss

Array = NDArray[Any]


def part_examples(
    table: Table,
    matrix: Array,
    rows: Array,
    *,
    features: Sequence[str],
    target: Target,
    loss: Loss,
    width: int,
    weight: str | None,
) -> Examples:
    """Some rows of a table, whose feature matrix (N, F) has columns of those names.

    Raises: DataError if a label is unknown, a target none that its scale takes or the loss learns, or a weight wrong.
    """
    x = matrix[rows]
    if target.reconstructs:
        truth = x.astype(np.float64)
    else:
        target.check(table, rows)
        truth = target.truth([table.columns[name] for name in target.names])[rows]
    t = target.encode(truth, width, x.dtype)
    if target.task == "regression":
        _check_targets(table, rows, t, truth, target.names, features, loss)
    weights = None if weight is None else row_weights(table, weight, rows)
    w = weights
    if target.class_weights:
        of_class = np.array(target.class_weights)[truth]
        w = of_class if w is None else w * of_class
        if not w.any():
            message = f"{table.path}: all {len(rows)} rows of a part get the weight 0, one must be above 0"
            raise DataError(Problem(message, "loss.class_weight"))
    return Examples(x, t, truth, None if w is None else w.astype(x.dtype), weights)


def _check_targets(
    table: Table, rows: Array, t: Array, truth: Array, targets: Sequence[str], features: Sequence[str], loss: Loss
) -> None:
    asked = loss.asked
    wrong = np.argwhere(~asked.holds(t))
    if not len(wrong):
        return
    row, column = wrong[0].tolist()
    names = targets or features
    if asked.of_rows:
        named, got = ", ".join(map(code, names)), ", ".join(f"{value:g}" for value in truth[row].tolist())
    else:
        named, got = code(names[column]), f"{truth[row, column]:g}"
    count = len(np.unique(wrong[:, 0]))
    more = f" (and {count - 1} more rows like it)" if count > 1 else ""
    scaled, way_out = ("", "") if targets else (", after scaling,", "; scale by another `data.numeric.scale`")
    columns = f"column{'s' if asked.of_rows else ''} {named}"
    message = f"{columns} must{scaled} {asked.what} for the loss {loss.name}, got {got}{more}{way_out}"
    raise DataError(Problem(message, "data.target", Place(str(table.path), table.line(int(rows[row])))))
