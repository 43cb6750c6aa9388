"""How much memory there is, and whether categories written out as columns would fill it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from nnctl.data.features import CategoryFeature, Features
from nnctl.errors import Problem, SpecError
from nnctl.spec.problems import format_key
from nnctl.spec.schema import Data

if TYPE_CHECKING:
    from nnctl.preparing.dataset import Dataset

SHARE = 0.25  # of the machine's memory; the rows of a batch are gathered from the matrix in any order

MOST_TOLD = 10**15  # by its number


def machine_memory() -> int:
    """The bytes of memory that the machine has."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def gigabytes(size: int) -> str:
    """Bytes as a message tells them; a config may ask for more of them than a float can hold."""
    return f"{size / 1e9:,.1f} GB" if size < MOST_TOLD else f"over {MOST_TOLD / 1e9:,.0f} GB"


def many(number: int) -> str:
    """A number of parameters, or of rows, as a message tells it."""
    return f"{number:,}" if number < MOST_TOLD else f"over {MOST_TOLD:,}"


def check_width(data: Data, features: Features, dataset: Dataset, dtype: Any) -> None:
    """Raise SpecError where categories, a column for each level, would make the feature matrix fill the memory."""
    wide = [column for column in features.columns if isinstance(column, CategoryFeature) and column.width > 1]
    rows = sum({id(part.table): part.table.rows for part in dataset.parts.values()}.values())
    size, there = rows * features.width * np.dtype(dtype).itemsize, machine_memory()
    if size <= SHARE * there or 2 * sum(column.width for column in wide) < features.width:
        return
    widest = max(wide, key=lambda column: column.width)
    own = data.columns.get(widest.name)
    key = ("data", "columns", widest.name, "encode")
    way = "fewer `buckets`" if not widest.encoder.keeps_levels else "keep fewer levels by `data.categorical.max_levels`"
    message = (
        f"{widest.encoder.name} makes {widest.width:,} columns of `{widest.name}`, and with them the matrix of "
        f"{rows:,} rows and {features.width:,} features takes {gigabytes(size)}, over a quarter of this machine's "
        f"{gigabytes(there)}: write `{format_key(key)}: embedding`, which is one column of codes, or {way}"
    )
    raise SpecError(Problem(message, format_key(key) if own and own.encode else "data.categorical.encode"))
