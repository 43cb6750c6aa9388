"""From the section ``data`` to rows: the tables read, the target's rows kept, the parts cut."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnctl.data.table import Column, Table, read_table
from nnctl.data.target import decide_task, labels
from nnctl.errors import DataError, Place, Problem
from nnctl.network.members import stream
from nnctl.spec.problems import unknown
from nnctl.spec.schema import FEATURES, Data
from nnctl.spec.synonyms import SYNONYMS
from nnctl.splits import Rows, too_few

Array = NDArray[Any]

PARTS = ("train", "val", "test")


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Some rows of a table."""

    table: Table
    rows: Array  # ascending places in the table


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """The tables of an experiment and which of their rows train, validate and test."""

    task: str
    targets: tuple[str, ...]
    parts: Mapping[str, Part]  # train, and val and test where they have rows
    notes: tuple[str, ...]

    @property
    def table(self) -> Table:
        """The table that holds the training rows."""
        return self.parts["train"].table

    def counts(self) -> dict[str, int]:
        """The number of rows of every part."""
        return {name: len(self.parts[name].rows) if name in self.parts else 0 for name in PARTS}


def read_dataset(data: Data, seed: int) -> Dataset:
    """Read the tables and cut the parts.

    Raises: DataError, with the key of every column that does not exist.
    """
    table = read(data, data.path)
    targets = data.targets
    check_columns(data, table, targets)
    task = _task(data, table)
    rows, notes = rows_with_target(data, table, targets)
    if not targets and FEATURES in table.columns:
        notes.append(f"the inputs are the target; for the column of that name write `data.target: [{FEATURES}]`")
    parts = cut(data, table, rows, targets, task, seed)
    types = {name: column.type for name, column in table.columns.items()}
    for name, path in (("val", data.val_path), ("test", data.test_path)):
        if path is not None:
            other = read(data, path, types=types)
            _check_has_targets(other, targets)
            kept, more = rows_with_target(data, other, targets)
            parts[name] = Part(other, kept)
            notes += more
    return Dataset(task, targets, {name: part for name, part in parts.items() if len(part.rows)}, tuple(notes))


def read(data: Data, path: str, *, types: Mapping[str, str] | None = None, only: Iterable[str] | None = None) -> Table:
    """A table by the rules of the section; ``types`` wins over what the section declares."""
    declared = {name: column.type for name, column in data.columns.items() if column.type}
    return read_table(
        Path(path),
        missing_values=data.missing_values,
        types={**declared, **(types or {})},
        only=None if only is None else set(only),
        delimiter=data.format.delimiter,
        encoding=data.format.encoding,
        decimal=data.format.decimal,
    )


def _task(data: Data, table: Table) -> str:
    if not data.targets and data.target != FEATURES:
        raise DataError(Problem("names no column to predict, name one", "data.target"))
    if data.targets:
        return decide_task([table.columns[name] for name in data.targets], data.task)
    if data.task not in ("auto", "regression"):
        message = f"the features as the target are a regression, not {data.task}; for a column of that name write "
        raise DataError(Problem(f"{message}`[{FEATURES}]`", "data.target"))
    return "regression"


def check_columns(data: Data, table: Table, targets: tuple[str, ...]) -> None:
    """Raise DataError unless every column that the section names exists and something is left to learn from."""
    places = {"data.target": targets, "data.id": data.id, "data.drop": data.drop, "data.columns": tuple(data.columns)}
    column = getattr(data.split, "column", None)
    if column is not None:
        places["data.split.column"] = (column,)
    if data.weight is not None:
        places["data.weight"] = (data.weight,)
    problems = [
        Problem(f"{table.path} has {unknown('column', name, table.columns, SYNONYMS).replace('unknown', 'no', 1)}", key)
        for key, names in places.items()
        for name in names
        if name not in table.columns
    ]
    if not problems and not feature_names(data, table, targets):
        problems.append(Problem(f"{table.path} has no feature columns: only the target is left", "data.drop"))
    if problems:
        raise DataError(problems)


def feature_names(data: Data, table: Table, targets: tuple[str, ...]) -> list[str]:
    """The columns that the network sees, in the order of the file."""
    left_out = {*targets, *data.id, *data.drop, data.weight, getattr(data.split, "column", None)}
    return [name for name in table.columns if name not in left_out]


def rows_with_target(data: Data, table: Table, targets: tuple[str, ...]) -> tuple[Array, list[str]]:
    """The rows whose target is known, and a note about the others.

    Raises: DataError if there are others and ``missing_target`` is error.
    """
    missing = np.zeros(table.rows, bool)
    for name in targets:
        missing |= is_missing(table.columns[name])
    count = int(missing.sum())
    if count and data.missing_target == "error":
        place = Place(str(table.path), table.line(int(np.flatnonzero(missing)[0])))
        message = f"`{targets[0]}` is missing in {count} rows, the first one here; correct them, or write `drop`"
        raise DataError(Problem(f"{place}: {message}", "data.missing_target"))
    notes = [f"{table.path}: {count} of {table.rows} rows have no `{targets[0]}` and are left out"] if count else []
    return np.flatnonzero(~missing), notes


def is_missing(column: Column) -> Array:
    """Whether each cell of a column is missing."""
    return column.values < 0 if column.type == "category" else np.isnan(column.values)


def cut(data: Data, table: Table, rows: Array, targets: tuple[str, ...], task: str, seed: int) -> dict[str, Part]:
    """The parts of the rows of one table; a part that has a file of its own gets no row here."""
    split = data.split.resolved(task)
    classes = None
    if task in ("binary", "multiclass"):
        classes = labels(table.columns[targets[0]]).codes[rows].astype(np.int64)
    name = getattr(split, "column", None)
    column = _texts(table.columns[name], rows) if name is not None else None
    given = {"val": data.val_path, "test": data.test_path}
    own = {part: type(getattr(split, part))(0) for part, path in given.items() if path and hasattr(split, part)}
    split = replace(split, **own) if own else split
    found = split.cut(
        Rows(len(rows), classes, column, lambda row: Place(str(table.path), table.line(int(rows[row])))),
        stream(split.seed_or(seed), "split"),
    )
    if not len(found.train):
        raise too_few("no row is left for training")
    return {
        "train": Part(table, rows[found.train]),
        "val": Part(table, rows[found.val]),
        "test": Part(table, rows[found.test]),
    }


def digest(tables: Iterable[Table]) -> str:
    """One sha256 for all files that were read: that of the file itself if it is one."""
    sums = list(dict.fromkeys(table.sha256 for table in tables))
    return sums[0] if len(sums) == 1 else hashlib.sha256("\n".join(sums).encode()).hexdigest()


def _texts(column: Column, rows: Array) -> list[str]:
    found = labels(column)
    return [found.names[code] if code >= 0 else "" for code in found.codes[rows].tolist()]


def _check_has_targets(table: Table, targets: tuple[str, ...]) -> None:
    missing = [name for name in targets if name not in table.columns]
    if missing:
        raise DataError(Problem(f"{table.path}: has no column `{missing[0]}`, the target", "data.target"))
