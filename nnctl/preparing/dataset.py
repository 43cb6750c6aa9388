"""From the section ``data`` to rows: the tables read, the rows with a target kept, and cut into parts."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnctl.blocks import where
from nnctl.data.findings import findings
from nnctl.data.refusals import no_column
from nnctl.data.suspects import suspects
from nnctl.data.table import Column, Table, read_table
from nnctl.data.task import choice, decide_task
from nnctl.data.weights import row_weights
from nnctl.errors import MAX_PROBLEMS, DataError, Place, Problem
from nnctl.preparing.cutting import PARTS, Part, cut, is_missing
from nnctl.spec.problems import format_key
from nnctl.spec.roles import TEXT, declared_types, kept_out, left_out, unfit
from nnctl.spec.schema import FEATURES, ColumnOptions, Data
from nnctl.splits import SPLIT_COLUMN

Array = NDArray[Any]

IN_VAIN = "nothing can be learned from it, list it in `data.drop`"
UNREAD = ("data.id", "data.drop", TEXT)  # columns whose cells may be anything, and as many texts as there are rows


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """The tables of an experiment and which of their rows train, validate and test."""

    task: str
    targets: tuple[str, ...]
    parts: Mapping[str, Part]  # train, and val and test where they have rows
    fitting: Array  # the training rows that count: what is fitted to the data sees no others
    notes: tuple[str, ...]  # what was decided
    warnings: tuple[str, ...]  # what is probably not meant

    @property
    def table(self) -> Table:
        """The table that holds the training rows."""
        return self.parts["train"].table

    def counts(self) -> dict[str, int]:
        """The number of rows of every part."""
        return {name: len(self.parts[name].rows) if name in self.parts else 0 for name in PARTS}


@dataclass(frozen=True, slots=True, eq=False)
class Tables:
    """The tables of an experiment before any cut: all that its folds share."""

    task: str
    targets: tuple[str, ...]
    table: Table
    rows: Array  # those with a target
    own: Mapping[str, Part]  # val and test, where they have a file of their own
    notes: tuple[str, ...]
    warnings: tuple[str, ...]


Reader = Callable[[Data], Tables]


def read_tables(data: Data, folder: Path | None = None) -> Tables:
    """Read the tables; ``folder`` is where large columns lie meanwhile.

    Raises: DataError, with the key of every column that does not exist.
    """
    table = read(data, data.path, folder=folder)
    targets = data.targets
    check_columns(data, table, targets)
    task = _task(data, table)
    rows, warnings = rows_with_target(data, table, targets)
    notes = []
    if not targets and FEATURES in table.header:
        notes.append(f"the inputs are the target; for the column of that name write `data.target: [{FEATURES}]`")
    if data.task == "auto":
        notes += choice([table.columns[name] for name in targets], task)
    features = [table.columns[name] for name in feature_names(data, table, targets)]
    warnings += [*silent(features), *suspects(table, targets, left_out(data))]
    notes += [*findings(features, declared_types(data)), *kept_out(data)]
    types = {name: column.type for name, column in table.columns.items()}
    used = {*feature_names(data, table, targets), *targets, *([] if data.weight is None else [data.weight])}
    own = {}
    for name, path in (("val", data.val_path), ("test", data.test_path)):
        if path is not None:
            with about_file(data, name):
                other = read(data, path, types=types, only=used, folder=folder)
                _check_has_targets(other, targets)
            kept, more = rows_with_target(data, other, targets)
            own[name] = Part(other, kept)
            warnings += more
    return Tables(task, targets, table, rows, own, tuple(notes), tuple(warnings))


def read_dataset(data: Data, seed: int, tables: Reader = read_tables) -> Dataset:
    """Read the tables and cut the parts.

    Raises: DataError as `read_tables`; or if the rows cannot be cut as the section says.
    """
    found = tables(data)
    parts = cut(data, found.table, found.rows, found.targets, found.task, seed)
    fitting = _counting(parts["train"], data.weight)
    there = {name: part for name, part in {**parts, **found.own}.items() if len(part.rows)}
    return Dataset(found.task, found.targets, there, fitting, found.notes, found.warnings)


def read(
    data: Data,
    path: str,
    *,
    types: Mapping[str, str] | None = None,
    only: Iterable[str] | None = None,
    folder: Path | None = None,
) -> Table:
    """A table by the rules of the section; ``types`` wins over what the section declares."""
    roles = left_out(data)
    used = (data.weight, getattr(data.split, "column", None))
    unread = {name for name, role in roles.items() if role in UNREAD and name not in used}
    numbers = dict.fromkeys(data.targets if data.task == "regression" else (), "number")
    return read_table(
        Path(path),
        missing_values=data.missing_values,
        types={**numbers, **declared_types(data), **(types or {})},
        only=None if only is None else set(only),
        unread=unread,
        delimiter=data.format.delimiter,
        encoding=data.format.encoding,
        decimal=data.format.decimal,
        dates=data.dates,
        others=roles,
        folder=folder,
    )


@contextmanager
def about_file(data: Data, part: str) -> Iterator[None]:
    """Let problems with the rows of a part that has a file of its own name that file's key: ``data.val_path``."""
    own = getattr(data, f"{part}_path", None) is not None
    try:
        yield
    except DataError as error:
        if not own:
            raise
        raise DataError(_about(problem, f"data.{part}_path") for problem in error.problems) from None


def _about(problem: Problem, key: str) -> Problem:
    """A problem that names no line of a file as one of the key that names the file."""
    if problem.place is None:
        return replace(problem, key=key)
    return problem if problem.place.line else Problem(f"{problem.place}: {problem.message}", key)


def _task(data: Data, table: Table) -> str:
    if data.targets:
        return decide_task([table.columns[name] for name in data.targets], data.task)
    if data.task not in ("auto", "regression"):
        message = f"the features as the target are a regression, not {data.task}; for a column of that name write "
        raise DataError(Problem(f"{message}`[{FEATURES}]`", "data.target"))
    return "regression"


def check_columns(data: Data, table: Table, targets: tuple[str, ...]) -> None:
    """Raise DataError unless every column that the section names exists and something is left to learn from."""
    header = set(table.header)
    lacking = ((key, name) for key, name in _named(data, targets) if not name or name not in header)
    problems = [Problem(no_column(table, name), key) for key, name in itertools.islice(lacking, MAX_PROBLEMS)]
    names = [] if problems else feature_names(data, table, targets)
    problems += table.undecided
    if not problems and not names:
        problems.append(Problem(f"{table.path} has no feature columns: only the target is left", "data.drop"))
    for name in names:
        problems += unfit(name, data.columns.get(name, ColumnOptions()), table.columns[name].type)
    if problems:
        raise DataError(problems)


def _named(data: Data, targets: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """The columns that the section names, each with the key of the very entry that names it."""
    lists = {"id": data.id, "drop": data.drop}
    if isinstance(data.target, str):
        yield from (("data.target", name) for name in targets)
    else:
        lists = {"target": targets, **lists}
    for option, names in lists.items():
        yield from ((format_key(("data", option, place)), name) for place, name in enumerate(names))
    yield from ((format_key(("data", "columns", name)), name) for name in data.columns)
    for key, column in ((SPLIT_COLUMN, getattr(data.split, "column", None)), ("data.weight", data.weight)):
        if column is not None:
            yield key, column


def feature_names(data: Data, table: Table, targets: tuple[str, ...]) -> list[str]:
    """The columns that the network sees, in the order of the file."""
    others = {*targets, *left_out(data)}
    return [name for name in table.columns if name not in others]


def silent(columns: Iterable[Column]) -> list[str]:
    """Warnings of columns from which nothing can be learned."""
    warnings = []
    for column in columns:
        extent = column.extent
        if extent is None:
            warnings.append(f"column `{column.name}` has no values: {IN_VAIN}")
        elif extent[0] == extent[1] and column.missing == 0:
            warnings.append(f"column `{column.name}` has the same value in every row: {IN_VAIN}")
    return warnings


def rows_with_target(data: Data, table: Table, targets: tuple[str, ...]) -> tuple[Array, list[str]]:
    """The rows whose target is known, and a warning of the others.

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
    return where(~missing), notes


def _counting(train: Part, weight: str | None) -> Array:
    """The training rows without those of weight 0."""
    return train.rows if weight is None else train.rows[row_weights(train.table, weight, train.rows) > 0]


def digest(tables: Iterable[Table]) -> str:
    """One sha256 for all files that were read: that of the file itself if it is one."""
    sums = list(dict.fromkeys(table.sha256 for table in tables))
    return sums[0] if len(sums) == 1 else hashlib.sha256("\n".join(sums).encode()).hexdigest()


def _check_has_targets(table: Table, targets: tuple[str, ...]) -> None:
    missing = [name for name in targets if name not in table.columns]
    if missing:
        raise DataError(Problem(no_column(table, missing[0], "the target"), "data.target"))
