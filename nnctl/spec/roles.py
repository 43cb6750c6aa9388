"""Roles: what each column that the section ``data`` names is there for, and which of its options can then apply."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from nnctl.component import options
from nnctl.data.decoding import codec, separator
from nnctl.errors import Problem, SpecError
from nnctl.spec.problems import format_key, shown
from nnctl.spec.schema import Bounds, Categorical, ColumnOptions, Data, Format
from nnctl.splits import SPLIT_COLUMN
from nnctl.transforms import DateEncoder, Encoder

# The options of ``data.columns.NAME`` that say something about a feature of a type.
BY_TYPE = {
    "number": ("scale", "missing", "indicator", "clip"),
    "boolean": ("scale", "missing", "indicator", "clip"),
    "category": ("encode", "order"),
    "date": ("encode", "format", "indicator"),
}
TEXT = "data.columns"  # the role of columns of the type text
READING = ("type", "format")  # they say how cells are read, whatever is done with them then
_MOMENT = datetime(2001, 2, 3, 4, 5, 6)


def left_out(data: Data) -> dict[str, str]:
    """The columns that are no features, with the key that says so.

    The column of a split by groups or time is one only if ``data.columns`` says what to do with it.
    """
    names = {name: "data.target" for name in data.targets}
    for key in ("id", "drop"):
        names = {name: f"data.{key}" for name in getattr(data, key)} | names
    for name in texts(data):
        names.setdefault(name, TEXT)
    if data.weight is not None:
        names.setdefault(data.weight, "data.weight")
    column = getattr(data.split, "column", None)
    if column is not None and not (data.split.name in ("group", "time") and _as_feature(data, column)):
        names.setdefault(column, SPLIT_COLUMN)
    return names


def texts(data: Data) -> list[str]:
    """The columns that are declared as texts, which no encoder takes: they are kept out of the network."""
    return [name for name, column in data.columns.items() if column.type == "text"]


def kept_out(data: Data) -> list[str]:
    """Notes about the columns that only their type keeps out of the network."""
    those = [name for name, role in left_out(data).items() if role == TEXT]
    return [f"column {shown(name)} is text, which the network cannot read, and is left out" for name in those]


def declared_types(data: Data) -> dict[str, str]:
    """The types of the columns that have one; a format makes a column one of dates."""
    return {
        name: column.type or "date"
        for name, column in data.columns.items()
        if column.type is not None or column.format is not None
    }


def unfit(name: str, exceptions: ColumnOptions, type: str) -> Iterator[Problem]:
    """The options of a feature that say nothing about a column of its type."""
    fitting = BY_TYPE.get(type, ())
    for option in given(exceptions):
        key = format_key(("data", "columns", name, option))
        if option != "type" and option not in fitting:
            listed = ", ".join(f"`{each}`" for each in ("type", *fitting))
            yield Problem(f"says nothing about a {type} column, leave it out; allowed: {listed}", key)
    base = DateEncoder if type == "date" else Encoder
    if "encode" in fitting and exceptions.encode is not None and not isinstance(exceptions.encode, base):
        wanted = "dates" if type != "date" else "categories"
        key = format_key(("data", "columns", name, "encode"))
        yield Problem(f"{exceptions.encode.name} is for {wanted}, this is a {type} column", key)


def data_problems(data: Data) -> Iterator[Problem]:
    """What is wrong in the section without a look at the table."""
    yield from _target_problems(data)
    if data.split.folds is not None and data.val_path is not None:
        yield Problem(
            "cannot stand beside folds, each of which validates on its own rows: leave it out", "data.val_path"
        )
    yield from _format_problems(data.format)
    yield from _bounds_problems("data.numeric.clip", data.numeric.clip)
    yield from _levels_problems(data.categorical)
    roles, types = left_out(data), declared_types(data)
    for name, exceptions in data.columns.items():
        if name in roles:
            yield from _pointless(name, exceptions, roles[name], data)
        elif name in types:
            yield from unfit(name, exceptions, types[name])
        if exceptions.clip is not None:
            yield from _bounds_problems(format_key(("data", "columns", name, "clip")), exceptions.clip)
        if exceptions.format is not None and not _is_format(exceptions.format):
            key = format_key(("data", "columns", name, "format"))
            yield Problem(f"must be a format of dates such as `%d.%m.%Y`, got {shown(exceptions.format)}", key)


def given(exceptions: ColumnOptions) -> list[str]:
    """The options that are not left at null."""
    return [name for name in options(ColumnOptions) if getattr(exceptions, name) is not None]


def _as_feature(data: Data, column: str) -> bool:
    """Whether the options of a column say what the network is to see of it."""
    return column in data.columns and not set(given(data.columns[column])) <= set(READING)


def _target_problems(data: Data) -> Iterator[Problem]:
    names = data.targets
    if not data.target:
        yield Problem("names no column to predict, name one", "data.target")
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            yield Problem(f"names {shown(name)} more than once", "data.target")
        for key in ("id", "drop"):
            if name in getattr(data, key):
                yield Problem(
                    f"{shown(name)} also stands in `data.{key}`, take it out of one of the two", "data.target"
                )


def _format_problems(form: Format) -> Iterator[Problem]:
    for check, value in ((separator, form.delimiter), (codec, form.encoding)):
        try:
            check(value)
        except SpecError as error:
            yield from error.problems
    if form.delimiter == form.decimal:
        yield Problem(f"{shown(form.decimal)} is the delimiter, too; the two must differ", "data.format.decimal")


def _pointless(name: str, exceptions: ColumnOptions, role: str, data: Data) -> Iterator[Problem]:
    """The options of a column that is no feature: its type may matter, anything else is in vain."""
    allowed = {"data.target": READING[:1], "data.weight": READING[:1], SPLIT_COLUMN: READING, TEXT: READING[:1]}.get(
        role, ()
    )
    if name in (data.weight, getattr(data.split, "column", None)):
        allowed = READING
    for option in given(exceptions):
        key = format_key(("data", "columns", name, option))
        if option not in allowed:
            what = "is text" if role == TEXT else f"stands in `{role}`"
            yield Problem(f"says nothing about {shown(name)}, which {what} and is no feature: leave it out", key)
        elif role == "data.target" and exceptions.type in ("date", "text"):
            yield Problem(f"a {exceptions.type} cannot be the target, write number or category", key)


def _levels_problems(categorical: Categorical) -> Iterator[Problem]:
    encode = categorical.encode
    if isinstance(encode, Encoder) and not encode.keeps_levels:
        for name, usual in (("min_count", 1), ("max_levels", None)):
            if getattr(categorical, name) != usual:
                yield Problem(f"{encode.name} knows no rare levels, leave it out", f"data.categorical.{name}")


def _bounds_problems(key: str, bounds: Bounds | None) -> Iterator[Problem]:
    low, high = bounds or (None, None)
    if low is not None and high is not None and low >= high:
        yield Problem(f"must be [low, high] with low < high, got [{low:g}, {high:g}]", key)


def _is_format(form: str) -> bool:
    try:
        datetime.strptime(_MOMENT.strftime(form), form)
    except (ValueError, re.error):
        return False
    return "%" in form
