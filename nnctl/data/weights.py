"""The weights of rows: a column of the table times the weight of the row's class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nnctl.blocks import counted, taken
from nnctl.data.labels import label_of, labels
from nnctl.data.refusals import no_column
from nnctl.data.target import Target
from nnctl.data.wording import code
from nnctl.errors import DataError, Place, Problem, SpecError
from nnctl.spec.problems import format_key, unknown

if TYPE_CHECKING:
    from nnctl.data.table import Column, Table

Array = NDArray[Any]

KEY = "data.weight"


def row_weights(table: Table, name: str, rows: Array) -> Array:
    """The weights (N,) of some rows of a table, in float64.

    Raises: DataError unless all are numbers >= 0 and some is above 0.
    """
    if name not in table.columns:
        message = no_column(table, name, "the weights of the rows")
        raise DataError(Problem(f"{message}; or add it, with 1 in every row if need be", KEY))
    column = table.columns[name]
    if column.type != "number":
        listed = ", ".join(f"`{label}`" for label in labels(column).names[:3])
        raise DataError(Problem(f"weights must be numbers >= 0, {code(name)} is a {column.type} ({listed} ...)", KEY))
    weights = taken(column.values, rows)
    faults = [_wrong(table, column, rows[fault]) for fault in (np.isnan(weights), weights < 0) if fault.any()]
    if faults:
        raise DataError(faults)
    if not weights.any():
        message = f"{table.path}: column {code(name)} is 0 in all {len(rows)} rows of a part, one must be above 0"
        raise DataError(Problem(message, KEY))
    return weights


def class_weights(
    wanted: str | Mapping[str, float], target: Target, columns: Sequence[Column], rows: Array
) -> tuple[float, ...]:
    """One weight for each class, from the training rows (N,) of the target's columns.

    Balanced is ``N / (C count)``, as scikit-learn has it, for the C classes that occur. A class that is not named, or
    does not occur, has the weight 1.
    Raises: SpecError if the target has no classes or a weight is negative; DataError if a label is none.
    """
    if not target.classifies:
        way_out = ", see `loss.pos_weight`" if target.task == "multilabel" else ""
        message = f"weighs the classes of a target with one class a row, this is a {target.task} target{way_out}"
        raise SpecError(Problem(message, "loss.class_weight"))
    if isinstance(wanted, str):
        counts = counted(target.truth(columns), len(target.classes), rows)
        return tuple(len(rows) / (np.count_nonzero(counts) * count) if count else 1.0 for count in counts.tolist())
    of_label = {label_of(columns[0], written): weight for written, weight in wanted.items()}
    _check_labels(wanted, of_label, columns[0], target)
    return tuple(float(of_label.get(label, 1.0)) for label in target.classes)


def _check_labels(wanted: Mapping[str, float], of_label: Mapping[str, float], column: Column, target: Target) -> None:
    negative = [
        Problem(f"must be a number >= 0, got {weight:g}", format_key(("loss", "class_weight", label)))
        for label, weight in wanted.items()
        if weight < 0
    ]
    if negative:
        raise SpecError(negative)
    strange = [
        Problem(unknown("label", label, target.classes), format_key(("loss", "class_weight", label)))
        for label in wanted
        if label_of(column, label) not in target.classes
    ]
    if strange:
        raise DataError(strange)
    if len(of_label) < len(wanted):
        raise SpecError(Problem(f"names a class of `{column.name}` more than once", "loss.class_weight"))
    if not any(of_label.get(label, 1.0) > 0 for label in target.classes):
        raise SpecError(Problem("gives every class the weight 0, one must be above 0", "loss.class_weight"))


def _wrong(table: Table, column: Column, rows: Array) -> Problem:
    row = int(rows[0])
    value = column.values[row]
    found = "is missing" if np.isnan(value) else f"is {value:g}"
    more = f" (and {len(rows) - 1} more rows like it)" if len(rows) > 1 else ""
    message = f"column {code(column.name)} {found}{more}; a weight must be a number >= 0"
    return Problem(message, KEY, Place(str(table.path), table.line(row)))
