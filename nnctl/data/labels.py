"""Labels: the values of a column of any type as the names of classes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnctl.data.dates import date_text
from nnctl.data.table import Column

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Labels:
    """A column read as classes: sorted names, and a code for every row, -1 where missing."""

    names: tuple[str, ...]
    codes: Array


def labels(column: Column) -> Labels:
    """The labels of a column of any type; numbers are sorted by value."""
    if column.type == "category":
        return Labels(column.levels, column.values)
    present = ~np.isnan(column.values)
    values, inverse = np.unique(column.values[present], return_inverse=True)
    codes = np.full(len(column.values), -1, np.int64)
    codes[present] = inverse
    if column.type == "date":
        return Labels(tuple(map(date_text, values.tolist())), codes)
    if column.type == "boolean":
        return Labels(tuple(column.levels[int(value)] for value in values), codes)
    return Labels(tuple(_number(value) for value in values.tolist()), codes)


def label_of(column: Column, text: str) -> str:
    """The label that a text of the config stands for: that of its value in a column of numbers, `1` for `01`."""
    if column.type != "number" or "_" in text:
        return text
    try:
        value = float(text)
    except ValueError:
        return text
    return _number(value) if math.isfinite(value) else text


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)
