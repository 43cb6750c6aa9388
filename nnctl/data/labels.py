"""Labels: the values of a column of any type as the names of classes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nnctl.blocks import BLOCK, blocks
from nnctl.data.dates import date_text

if TYPE_CHECKING:
    from nnctl.data.table import Column

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Labels:
    """A column read as classes: sorted names, and a code for every row, -1 where missing, in the narrowest type."""

    names: tuple[str, ...]
    codes: Array


def labels(column: Column) -> Labels:
    """The labels of a column of any type; numbers are sorted by value."""
    if column.type == "category":
        return Labels(column.levels, column.values)
    values = distinct_values(column)
    codes = np.empty(len(column.values), np.min_scalar_type(-max(1, len(values))))
    for rows in blocks(len(codes)):
        found = np.searchsorted(values, column.values[rows])
        codes[rows] = np.where(found < len(values), found, -1)  # nan comes after all
    if column.type == "date":
        return Labels(tuple(map(date_text, values.tolist())), codes)
    if column.type == "boolean":
        return Labels(tuple(column.levels[int(value)] for value in values), codes)
    return Labels(tuple(_number(value) for value in values.tolist()), codes)


def distinct_values(column: Column, most: int | None = None) -> Array:
    """The values of a column, ascending and each once; with ``most`` some of them, if there are more than so many.

    A category has the codes of its levels for values.
    """
    values = np.asarray(column.values)
    found, more = values[:0], [values[:0]]
    for rows in blocks(len(values)):
        more.append(np.unique(values[rows]))
        # Merged only once there is as much to merge: many values would be sorted again and again.
        if most is not None or sum(map(len, more)) > max(BLOCK, len(found)):
            found, more = np.unique(np.concatenate([found, *more])), []
            if most is not None and len(found) > most + 1:  # one of them may be what is missing
                break
    found = np.unique(np.concatenate([found, *more]))
    return found[found >= 0] if column.type == "category" else found[~np.isnan(found)]


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
