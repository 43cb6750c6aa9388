"""Features: the columns of a table as one matrix, by transforms that were fitted on the training rows only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnctl.data.table import Column, Table
from nnctl.errors import DataError, Problem
from nnctl.layers import InputColumn
from nnctl.transforms import Encoder, Scaler, State

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class NumberFeature:
    """A column of numbers or booleans: missing cells filled, then scaled."""

    name: str
    type: str  # number | boolean
    scaler: Scaler
    fill: float  # what stands for a missing cell, before scaling
    state: State

    width = 1

    @property
    def names(self) -> list[str]:
        return [self.name]

    @property
    def transform(self) -> str:
        return self.scaler.name

    def write(self, column: Column, out: Array) -> int:
        """Write the column to out (N, 1); gives the number of cells that no training row could have shown."""
        values = np.where(np.isnan(column.values), self.fill, column.values)
        out[:, 0] = self.scaler.apply(values, self.state)
        return 0


@dataclass(frozen=True, slots=True)
class CategoryFeature:
    """A column of categories: its levels encoded."""

    name: str
    encoder: Encoder
    state: State

    type = "category"

    @property
    def width(self) -> int:
        return self.encoder.width(self.state)

    @property
    def names(self) -> list[str]:
        return self.encoder.feature_names(self.name, self.state)

    @property
    def transform(self) -> str:
        return self.encoder.name

    def write(self, column: Column, out: Array) -> int:
        """Write the column to out (N, width); gives the number of cells with a level that training did not show."""
        place = {level: code for code, level in enumerate(self.state["levels"])}
        codes = np.array([place.get(level, -1) for level in column.levels] + [-1], np.int64)[column.values]
        self.encoder.apply(codes, self.state, out)
        return int(np.count_nonzero((codes < 0) & (column.values >= 0)))


Feature = NumberFeature | CategoryFeature


@dataclass(frozen=True, slots=True)
class Features:
    """All features in the order of the matrix's columns."""

    columns: tuple[Feature, ...]

    @property
    def width(self) -> int:
        return sum(column.width for column in self.columns)

    @property
    def inputs(self) -> tuple[InputColumn, ...]:
        """What the network is told of the matrix's columns."""
        return tuple(InputColumn(name, "number") for column in self.columns for name in column.names)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the matrix's columns."""
        return tuple(name for column in self.columns for name in column.names)

    @property
    def types(self) -> dict[str, str]:
        """The type of every column that a table must have, by name."""
        return {column.name: column.type for column in self.columns}

    def matrix(self, table: Table, dtype: Any = np.float32) -> tuple[Array, dict[str, int]]:
        """The matrix (N, F) of a table, and how many cells of a column hold a level unseen in training.

        Raises: DataError if columns are missing, or a number is beyond the range of the dtype.
        """
        self._check_names(table)
        out = np.empty((table.rows, self.width), dtype)
        unseen = {}
        start = 0
        with np.errstate(over="ignore"):
            for column in self.columns:
                part = out[:, start : start + column.width]
                count = column.write(table.columns[column.name], part)
                if count:
                    unseen[column.name] = count
                _check_finite(column.name, part, table)
                start += column.width
        return out, unseen

    def _check_names(self, table: Table) -> None:
        missing = [column.name for column in self.columns if column.name not in table.columns]
        if missing:
            listed = ", ".join(f"`{name}`" for name in missing)
            raise DataError(Problem(f"{table.path}: has no column {listed}, which training used"))


def fit_number(column: Column, rows: Array, *, scaler: Scaler, imputer: Any) -> NumberFeature:
    """A feature of the column's cells in the training rows."""
    values = column.values[rows]
    present = values[~np.isnan(values)]
    state = scaler.fit(present if len(present) else np.zeros(1))
    return NumberFeature(column.name, column.type, scaler, imputer.fit(values), state)


def fit_category(column: Column, rows: Array, *, encoder: Encoder, order: Sequence[str] | None) -> CategoryFeature:
    """A feature of the levels that occur in the training rows."""
    codes = column.values[rows]
    present = np.unique(codes[codes >= 0])
    levels = [column.levels[code] for code in present.tolist()]
    state = encoder.fit(levels, missing=bool((codes < 0).any()), order=order)
    return CategoryFeature(column.name, encoder, state)


def features_state(features: Features) -> list[dict[str, Any]]:
    """What was fitted, as plain values for JSON."""
    found: list[dict[str, Any]] = []
    for column in features.columns:
        entry: dict[str, Any] = {"name": column.name, "type": column.type, "state": column.state}
        if isinstance(column, NumberFeature):
            entry |= {"fill": column.fill, "scale": column.scaler}
        else:
            entry |= {"encode": column.encoder}
        found.append(entry)
    return found


def features_of(state: Sequence[Mapping[str, Any]]) -> Features:
    """The features whose state was saved."""
    columns: list[Feature] = []
    for entry in state:
        if entry["type"] == "category":
            columns.append(CategoryFeature(entry["name"], entry["encode"], entry["state"]))
        else:
            columns.append(NumberFeature(entry["name"], entry["type"], entry["scale"], entry["fill"], entry["state"]))
    return Features(tuple(columns))


def _check_finite(name: str, part: Array, table: Table) -> None:
    bad = np.flatnonzero(~np.isfinite(part).all(axis=1))
    if len(bad):
        row = int(bad[0])
        raise DataError(
            Problem(
                f"{table.path}:{table.line(row)}: column `{name}`: the number is beyond the range of {part.dtype}; "
                f"scale it (`data.columns.{name}.scale`), drop the column, or set `model.dtype: float64`"
            )
        )
