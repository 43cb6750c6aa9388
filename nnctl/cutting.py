"""From the rows of a table to its parts, by the section's split."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnctl.data.dates import date_seconds
from nnctl.data.labels import labels
from nnctl.data.table import Column, Table
from nnctl.errors import DataError, Place, Problem, SpecError
from nnctl.network.members import stream
from nnctl.spec.problems import format_key
from nnctl.spec.schema import Data
from nnctl.splits import SPLIT_COLUMN, Rows, too_few

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
        classes = labels(table.columns[targets[0]]).codes[rows].astype(np.int64)
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
            None if column is None else _labels_at(column, rows),
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
    return {
        "train": Part(table, rows[found.train]),
        "val": Part(table, rows[found.val]),
        "test": Part(table, rows[found.test]),
    }


def is_missing(column: Column) -> Array:
    """Whether each cell of a column is missing."""
    return column.values < 0 if column.type == "category" else np.isnan(column.values)


def _labels_at(column: Column, rows: Array) -> list[str]:
    found = labels(column)
    return [found.names[code] if code >= 0 else "" for code in found.codes[rows].tolist()]


def _check_complete(table: Table, column: Column, rows: Array) -> None:
    missing = rows[is_missing(column)[rows]]
    if len(missing):
        message = (
            f"column `{column.name}` is missing in {len(missing)} rows, the first one here; correct or remove them"
        )
        raise DataError(Problem(message, SPLIT_COLUMN, Place(str(table.path), table.line(int(missing[0])))))


def _times(column: Column, rows: Array) -> Array:
    """What orders the rows: numbers as they are, dates as seconds; texts must be dates as ISO 8601 writes them."""
    if column.type != "category":
        return column.values[rows]
    seconds = [date_seconds(level, None) for level in column.levels]
    if None in seconds:
        stray = column.levels[seconds.index(None)]
        message = (
            f"column `{column.name}` does not say when: `{stray}` is neither a number nor a date as ISO 8601 writes "
            f"it; declare it, `{format_key(('data', 'columns', column.name))}: {{type: date, format: ...}}`"
        )
        raise DataError(Problem(message, SPLIT_COLUMN))
    of_rows: Array = np.array([each or 0.0 for each in seconds])[column.values[rows]]
    return of_rows
