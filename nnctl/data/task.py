"""The task: what the columns of a target can be learned as."""

from __future__ import annotations

from collections.abc import Sequence

from nnctl.data.labels import distinct_values, labels
from nnctl.data.table import Column
from nnctl.errors import DataError, Problem

MOST_CLASSES = 20  # whole numbers with more distinct values than this are a quantity, not labels
KEY = "data.target"


def decide_task(columns: Sequence[Column], task: str) -> str:
    """The task that ``task`` stands for, from the target's columns.

    Several columns that all have two values are labels, but numbers only if each is 0 or 1; others are a regression.
    Raises: DataError if the target cannot serve that task.
    """
    _check_values(columns)
    if len(columns) > 1 and task == "auto":
        meant = any(column.type != "number" for column in columns) or all(map(_is_flag, columns))
        task = "multilabel" if meant and _are_pairs(columns) else "regression"
    if len(columns) > 1 and task not in ("multilabel", "regression"):
        raise DataError(Problem(f"several columns are multilabel or a regression, not {task}; name one column", KEY))
    column = columns[0]
    if task == "auto":
        few = column.type != "number" or (column.whole and len(distinct_values(column, MOST_CLASSES)) <= MOST_CLASSES)
        task = "classification" if few else "regression"
    if task == "regression":
        _check_numbers(columns)
        return task
    if task == "multilabel":
        _check_pairs(columns)
        return task
    return _classification(column, task)


def other_tasks(columns: Sequence[Column], task: str) -> tuple[str, ...]:
    """The tasks beside that one that the columns could serve, too."""
    number = [column.type == "number" for column in columns]
    classes = len(columns) == 1 and len(distinct_values(columns[0], 1)) > 1 and (columns[0].whole or not number[0])
    could = {"regression": all(number), "multiclass": classes, "multilabel": _are_pairs(columns)}
    return tuple(name for name, serves in could.items() if serves and name != task)


def choice(columns: Sequence[Column], task: str) -> list[str]:
    """What is to be said of a task that was found from the columns, where it may surprise."""
    if task != "multilabel" or not all(map(_is_flag, columns)):
        return []
    listed = ", ".join(f"`{column.name}`" for column in columns)
    return [f"{listed} hold 0 and 1, and are taken for labels; for numbers write `data.task: regression`"]


def _are_pairs(columns: Sequence[Column]) -> bool:
    return all(len(distinct_values(column, 2)) == 2 for column in columns)


def _is_flag(column: Column) -> bool:
    """Whether a column is one of numbers that are 0 or 1."""
    return column.type == "number" and column.whole and distinct_values(column, 2).tolist() == [0, 1]


def _check_pairs(columns: Sequence[Column]) -> None:
    problems = [
        Problem(
            f"multilabel needs two values in each column, `{column.name}` has {column.distinct} ({_sample(column)})",
            KEY,
        )
        for column in columns
        if len(distinct_values(column, 2)) != 2
    ]
    if problems:
        raise DataError(problems)


def _classification(column: Column, task: str) -> str:
    count, rows = len(distinct_values(column)), len(column.values) - column.missing
    if count < 2:
        few = ", and 1 row is too few to split" if rows == 1 else ""
        what = f"has one class, `{labels(column).names[0]}`"
        raise DataError(Problem(f"`{column.name}` {what}; a classifier needs two or more{few}", KEY))
    if count > MOST_CLASSES and 2 * count > rows:
        way = "write `data.task: regression`" if column.type == "number" else "name the column that holds the classes"
        message = f"`{column.name}` has {count} distinct values in {rows} rows, too many for classes; {way}"
        raise DataError(Problem(message, KEY))
    if task == "binary" and count > 2:
        names = ", ".join(f"`{name}`" for name in labels(column).names[:6])
        raise DataError(Problem(f"binary needs two classes, `{column.name}` has {count} ({names} ...)", "data.task"))
    if task == "classification":
        return "binary" if count == 2 else "multiclass"
    return task


def _check_values(columns: Sequence[Column]) -> None:
    """Raise DataError if a column of the target has no value in any row."""
    problems = [
        Problem(f"`{column.name}` has no value at all", KEY)
        for column in columns
        if column.missing == len(column.values)
    ]
    if problems:
        raise DataError(problems)


def _check_numbers(columns: Sequence[Column]) -> None:
    problems = [
        Problem(f"regression needs numbers, `{column.name}` is a {column.type} ({_sample(column)})", KEY)
        for column in columns
        if column.type != "number"
    ]
    if problems:
        raise DataError(problems)


def _sample(column: Column) -> str:
    names = labels(column).names
    return ", ".join(f"`{name}`" for name in names[:3]) + (" ..." if len(names) > 3 else "") or "none"
