"""From the rows of a table to its parts, by the section's split."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nnctl.blocks import taken
from nnctl.data.dates import date_seconds
from nnctl.data.labels import labels
from nnctl.errors import DataError, Place, Problem, SpecError
from nnctl.network.members import stream
from nnctl.spec.problems import format_key
from nnctl.spec.schema import Data
from nnctl.splits import SPLIT_COLUMN, Rows, too_few
from nnctl.splits.cells import Cells

if TYPE_CHECKING:
    from nnctl.data.table import Column, Table

Array = NDArray[Any]

PARTS = ("train", "val", "test")


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Some rows of a table."""

    table: Table
    rows: Array  # ascending places in the table


def cut(data: Data, table: Table, rows: Array, targets: tuple[str, ...], task: str, seed: int) -> dict[str, Part]:
    """The parts of the rows of one table; a part that has a file of its own gets no row here."""
    split = data.split.resolved(task)
    classes = None
    if task in ("binary", "multiclass"):
        classes = _at(labels(table.columns[targets[0]]).codes, rows)
    name = getattr(split, "column", None)
    column = table.columns[name] if name is not None else None
    if column is not None and split.complete:
        _check_complete(table, column, rows)
    given = {"val": data.val_path, "test": data.test_path}
    own = {part: type(getattr(split, part))(0) for part, path in given.items() if path and hasattr(split, part)}
    split = replace(split, **own) if own else split
    found = split.divide(
        Rows(
            len(rows),
            classes,
            None if column is None or split.orders else _cells(column, rows),
            _times(column, rows) if column is not None and split.orders else None,
            lambda row: Place(str(table.path), table.line(int(rows[row]))),
        ),
        stream(split.seed_or(seed), "split"),
    )
    for part, path in given.items():
        count = len(getattr(found, part))
        if path and count:
            message = f"puts {count} rows into {part}, which `data.{part}_path` gives: leave out one of the two"
            raise SpecError(Problem(message, "data.split"))
    if not len(found.train):
        raise too_few("no row is left for training")
    every = len(rows) == table.rows  # then the rows are their own places
    places = {part: getattr(found, part) for part in PARTS}
    return {part: Part(table, some if every else taken(rows, some)) for part, some in places.items()}


def is_missing(column: Column) -> Array:
    """Whether each cell of a column is missing."""
    return column.values < 0 if column.type == "category" else np.isnan(column.values)


def _at(values: Array, rows: Array) -> Array:
    """The values in some rows; the very array if they are all of them."""
    return values if len(rows) == len(values) else taken(values, rows)


def _cells(column: Column, rows: Array) -> Cells:
    """The labels of a column in some rows, and the empty text where one is missing."""
    found = labels(column)
    return Cells((*found.names, ""), _at(found.codes, rows))


def _check_complete(table: Table, column: Column, rows: Array) -> None:
    missing = rows[_at(is_missing(column), rows)]
    if len(missing):
        message = (
            f"column `{column.name}` is missing in {len(missing)} rows, the first one here; correct or remove them"
        )
        raise DataError(Problem(message, SPLIT_COLUMN, Place(str(table.path), table.line(int(missing[0])))))


def _times(column: Column, rows: Array) -> Array:
    """What orders the rows: numbers as they are, dates as seconds; texts must be dates as ISO 8601 writes them."""
    if column.type != "category":
        return _at(column.values, rows)
    seconds = [date_seconds(level, None) for level in column.levels]
    if None in seconds:
        stray = column.levels[seconds.index(None)]
        message = (
            f"column `{column.name}` does not say when: `{stray}` is neither a number nor a date as ISO 8601 writes "
            f"it; declare it, `{format_key(('data', 'columns', column.name))}: {{type: date, format: ...}}`"
        )
        raise DataError(Problem(message, SPLIT_COLUMN))
    return taken(np.array([each or 0.0 for each in seconds]), _at(column.values, rows))
