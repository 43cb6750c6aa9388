"""A table in memory: a DataFrame, or a dict of columns, as typed columns."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nnctl.arguments import wrong
from nnctl.data.columns import Column, Numbers, Refusal, Texts
from nnctl.data.table import Table, column_of, notation_of, row_numbers
from nnctl.data.wording import code
from nnctl.errors import DataError, Place, Problem

if TYPE_CHECKING:
    import pandas

FRAME = Path("frame")  # the path of a table that was never a file


def table_from_frame(
    frame: pandas.DataFrame | Mapping[str, Sequence[Any]],
    *,
    missing_values: Sequence[str],
    types: Mapping[str, str] | None = None,
    only: Collection[str] | None = None,
    dates: Mapping[str, str] | None = None,
) -> Table:
    """The table that a DataFrame or a dict of columns makes; None, nan and NA are missing values.

    A value that is to be a text is written as a CSV file would have it: ``true``, ``3`` (also for 3.0, which is what
    whole numbers become in a column with missing values), ``0.5``; dates and times in the format of their column.

    Raises: SpecError if it is neither; DataError if the columns do not fit together, or a value is not what it should
            be.
    """
    if not (isinstance(frame, Mapping) or (hasattr(frame, "columns") and hasattr(frame, "items"))):
        raise wrong("frame", 'a DataFrame, or a dict of columns such as {"a": [1, 2]}', frame)
    names = [str(name) for name in frame]
    if len(set(names)) < len(names):
        raise _in_frame("two columns have the same name; rename one")
    values: dict[str, Any] = {str(name): column for name, column in frame.items()}
    rows = _rows_of_frame(values)
    notation, declared = notation_of(missing_values, ".", dates), types or {}
    read = {name: declared.get(name) for name in names if only is None or name in only}
    columns = [
        column_of(name, _frame_cells(values[name], kind, notation.dates.get(name)), kind, notation)
        for name, kind in read.items()
    ]
    refused = [column for column in columns if isinstance(column, Refusal)]
    if refused:
        lines = row_numbers({row for refusal in refused for row in refusal.rows})
        raise DataError(refusal.problem(str(FRAME), lines, unit="row") for refusal in refused)
    named = {column.name: column for column in columns if isinstance(column, Column)}
    return Table(FRAME, rows, named, "", row_numbers, tuple(names), unit="row")


def _rows_of_frame(columns: Mapping[str, Any]) -> int:
    lengths = {name: _length(name, values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{code(name)} {length}" for name, length in lengths.items())
        raise _in_frame(f"all columns must have the same number of rows, got {found}")
    rows = max(lengths.values(), default=0)
    if rows == 0:
        raise _in_frame("no data rows")
    return rows


def _length(name: str, values: Any) -> int:
    if isinstance(values, str) or not hasattr(values, "__len__") or getattr(values, "ndim", 1) != 1:
        raise _in_frame(f"column {code(name)} must be a sequence of values, one for each row")
    return len(values)


def _in_frame(message: str) -> DataError:
    return DataError(Problem(message, place=Place(str(FRAME))))


def _frame_cells(values: Any, declared: str | None, form: str | None) -> Numbers | Texts:
    dtype = getattr(values, "dtype", None)
    if isinstance(dtype, np.dtype) and dtype.kind in "iuf" and declared in (None, "number"):
        numbers = np.asarray(values, dtype=np.float64)
        if not np.isinf(numbers).any():
            return numbers
    absent = values.isna() if hasattr(values, "isna") else [_is_absent(value) for value in values]
    places: dict[str, int] = {}
    codes = [
        -1 if gone else places.setdefault(_written(value, form), len(places))
        for value, gone in zip(values, absent, strict=True)
    ]
    return Texts(np.array(codes, dtype=np.int32), list(places))


def _is_absent(value: Any) -> bool:
    if isinstance(value, np.datetime64):
        return bool(np.isnat(value))
    return value is None or (isinstance(value, float | np.floating) and bool(np.isnan(value)))


def _written(value: Any, form: str | None) -> str:
    if form is not None and isinstance(value, np.datetime64):
        value = value.astype("datetime64[us]").item()
    if form is not None and isinstance(value, date):
        return value.strftime(form)
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, float | np.floating):
        number = float(value)
        return f"{number:.0f}" if number.is_integer() else repr(number)
    return str(value)
