"""Fitting: features from the training rows of a column."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nnctl.blocks import blocks, counted
from nnctl.data.features import Bounds, CategoryFeature, DateFeature, NumberFeature
from nnctl.errors import DataError, Problem
from nnctl.spec.problems import format_key
from nnctl.transforms import DateEncoder, Encoder, Imputer, Scaler, ordered
from nnctl.transforms.sample import Sample

if TYPE_CHECKING:
    from nnctl.data.table import Column

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Levels:
    """The levels of a category that have a place of their own, and the training rows that share the reserved one."""

    names: list[str]
    counts: list[int]
    reserved: int  # rows with a missing cell or a rare level
    pooled: bool  # whether there are rare levels


def fit_number(
    column: Column,
    rows: Array,
    *,
    scaler: Scaler,
    imputer: Imputer,
    indicator: bool = False,
    clip: Bounds | None = None,
) -> NumberFeature:
    """A feature of the column's cells in the training rows; without a missing one among them it gets no indicator.

    Raises: DataError if the number for missing cells is none that the scaler takes.
    """
    sample = sample_of(column, rows)
    fill = imputer.fit(sample)
    inside = _inside(sample, scaler)  # other numbers are refused when the matrix is made
    state = scaler.fit(inside if inside.count else Sample.of(np.zeros(1)))
    if fill is not None and scaler.outside(np.array([fill])).any() and _takes_all(scaler, column):
        message = f"{fill:g} stands for missing cells of `{column.name}`, {scaler.name} takes only {scaler.domain}"
        raise DataError(Problem(message, format_key(("data", "columns", column.name, "missing"))))
    indicator = indicator and fill is not None and sample.missing > 0
    return NumberFeature(column.name, column.type, scaler, fill, state, indicator, clip)


def sample_of(column: Column, rows: Array) -> Sample:
    """The numbers or dates of some rows of a column, without the missing ones."""
    return Sample(lambda: cells_of(column, rows))


def cells_of(column: Column, rows: Array) -> Iterator[Array]:
    """The cells of some rows of a column, block by block: the rows may be more than fit into memory."""
    values = np.asarray(column.values)
    return (values[rows[block]] for block in blocks(len(rows)))


def _inside(sample: Sample, scaler: Scaler) -> Sample:
    """The numbers that a scaler takes."""
    return sample if scaler.takes_all else sample.mapped(lambda x: x[~scaler.outside(x)])


def _takes_all(scaler: Scaler, column: Column) -> bool:
    values = np.asarray(column.values)
    return not any(scaler.outside(values[block]).any() for block in blocks(len(values)))


def fit_category(name: str, levels: Levels, *, encoder: Encoder) -> CategoryFeature:
    """A feature of the levels that occur in the training rows."""
    state = encoder.fit(levels.names, counts=levels.counts, reserved=levels.reserved)
    return CategoryFeature(name, encoder, state, levels.pooled)


def fit_date(column: Column, rows: Array, *, encoder: DateEncoder, indicator: bool = False) -> DateFeature:
    """A feature of the dates in the training rows; without a missing one among them it gets no indicator."""
    sample = sample_of(column, rows)
    state = encoder.fit(sample if sample.count else Sample.of(np.zeros(1)))
    return DateFeature(column.name, encoder, state, indicator and sample.missing > 0)


def levels_of(
    column: Column, rows: Array, *, order: Sequence[str] | None, min_count: int = 1, max_levels: int | None = None
) -> Levels:
    """The levels that the training rows show, or that ``order`` names, without the rare ones.

    Raises: DataError if ``order`` lacks a level; SpecError if it names one twice.
    """
    counts = counted(column.values, len(column.levels), rows).tolist()
    shown = {level: count for level, count in zip(column.levels, counts, strict=True) if count}
    names = ordered(list(shown), order)
    kept = [name for name in names if min_count == 1 or shown.get(name, 0) >= min_count]
    if max_levels is not None and len(kept) > max_levels:
        # The most frequent ones; sorting keeps equals in their order.
        most = set(sorted(kept, key=lambda name: -shown.get(name, 0))[:max_levels])
        kept = [name for name in kept if name in most]
    found = [shown.get(name, 0) for name in kept]
    return Levels(kept, found, len(rows) - sum(found), sum(map(bool, found)) < len(shown))
