"""Features: the columns of a table as one matrix, by transforms that were fitted on the training rows only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nnctl.data.refusals import check_columns, outside, places, refused
from nnctl.errors import DataError, Problem
from nnctl.layers import InputColumn
from nnctl.transforms import DateEncoder, Encoder, Encoding, Scaler, State

if TYPE_CHECKING:
    from nnctl.data.table import Column, Table

Array = NDArray[Any]
Bounds = tuple[float | None, float | None]

MISSING = "<missing>"  # in the names of columns that say where a cell was missing


@dataclass(frozen=True, slots=True)
class NumberFeature:
    """A column of numbers or booleans: missing cells filled, then scaled, then clipped."""

    name: str
    type: str  # number | boolean
    scaler: Scaler
    fill: float | None  # what stands for a missing cell, before scaling; None: such a cell is refused
    state: State
    indicator: bool = False  # whether a second column says where a cell was missing
    clip: Bounds | None = None  # of the scaled numbers

    @property
    def width(self) -> int:
        return 1 + self.indicator

    @property
    def inputs(self) -> tuple[InputColumn, ...]:
        return tuple(InputColumn(name, "number") for name in _indicated([self.name], self.name, self.indicator))

    @property
    def transform(self) -> str:
        return self.scaler.name

    def problems(self, column: Column, table: Table) -> list[Problem]:
        """What cannot be written: missing cells that nothing stands for, numbers that the scaler does not take."""
        found = outside(table, column, self.scaler)
        if self.fill is not None:
            return found
        missing = places(lambda part: np.isnan(column.values[part]), table.rows)
        if len(missing):
            found.append(refused(table, column, missing, "missing, which `missing: error` forbids"))
        return found

    def write(self, column: Column, out: Array) -> int:
        """Write the column to out (N, width); gives the number of cells that no training row could have shown."""
        missing = np.isnan(column.values)
        values = column.values if self.fill is None else np.where(missing, self.fill, column.values)
        scaled = self.scaler.apply(values, self.state)
        if self.clip is not None:
            low, high = self.clip
            scaled = np.clip(scaled, -np.inf if low is None else low, np.inf if high is None else high)
        out[:, 0] = scaled
        if self.indicator:
            out[:, 1] = missing
        return 0


@dataclass(frozen=True, slots=True)
class CategoryFeature:
    """A column of categories: its levels encoded."""

    name: str
    encoder: Encoder
    state: State
    pooled: bool = False  # whether rare levels of the training rows share the reserved slot

    type = "category"

    @property
    def width(self) -> int:
        return self.encoder.width(self.state)

    @property
    def inputs(self) -> tuple[InputColumn, ...]:
        return _inputs(self.name, self.encoder, self.state)

    @property
    def transform(self) -> str:
        return self.encoder.name

    def problems(self, column: Column, table: Table) -> list[Problem]:
        """Any category can be written."""
        return []

    def write(self, column: Column, out: Array) -> int:
        """Write the column to out (N, width); gives the number of cells with a level that training did not show.

        Where rare levels are pooled, such a level is one of them and is not counted.
        """
        codes = np.array([*self.encoder.codes(column.levels, self.state), -1], np.int64)[column.values]
        self.encoder.apply(codes, self.state, out)
        return 0 if self.pooled else int(np.count_nonzero((codes < 0) & (column.values >= 0)))


@dataclass(frozen=True, slots=True)
class DateFeature:
    """A column of dates: their parts, or places in cycles."""

    name: str
    encoder: DateEncoder
    state: State
    indicator: bool = False

    type = "date"

    @property
    def width(self) -> int:
        return self.encoder.width(self.state) + self.indicator

    @property
    def inputs(self) -> tuple[InputColumn, ...]:
        names = self.encoder.feature_names(self.name, self.state)
        return tuple(InputColumn(name, "number") for name in _indicated(names, self.name, self.indicator))

    @property
    def transform(self) -> str:
        return self.encoder.name

    def problems(self, column: Column, table: Table) -> list[Problem]:
        """Any date can be written."""
        return []

    def write(self, column: Column, out: Array) -> int:
        """Write the column to out (N, width); no date is one that training could not have shown."""
        self.encoder.apply(column.values, self.state, out[:, : self.width - self.indicator])
        if self.indicator:
            out[:, -1] = np.isnan(column.values)
        return 0


Feature = NumberFeature | CategoryFeature | DateFeature


@dataclass(frozen=True, slots=True)
class Features:
    """All features in the order of the matrix's columns."""

    columns: tuple[Feature, ...]

    @property
    def width(self) -> int:
        return sum(column.width for column in self.columns)

    @property
    def inputs(self) -> tuple[InputColumn, ...]:
        """Every column of the matrix: its name, and whether it holds numbers or codes."""
        return tuple(each for column in self.columns for each in column.inputs)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the matrix's columns."""
        return tuple(each.name for each in self.inputs)

    @property
    def types(self) -> dict[str, str]:
        """The type of every column that a table must have, by name."""
        return {column.name: column.type for column in self.columns}

    def matrix(self, table: Table, dtype: Any = np.float32) -> tuple[Array, dict[str, int]]:
        """The matrix (N, F) of a table, and how many cells of a column hold a level unseen in training.

        Raises: DataError if columns are missing, or cells hold what their transform or the dtype cannot take.
        """
        self.check(table)
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

    def check(self, table: Table) -> None:
        """Raises: DataError if columns are missing, or cells hold what their transform cannot take."""
        check_columns(table.path, self.types, table.header)
        problems = [
            problem for column in self.columns for problem in column.problems(table.columns[column.name], table)
        ]
        if problems:
            raise DataError(problems)


def features_state(features: Features) -> list[dict[str, Any]]:
    """What was fitted, as plain values for JSON."""
    found: list[dict[str, Any]] = []
    for column in features.columns:
        entry: dict[str, Any] = {"name": column.name, "type": column.type, "state": column.state}
        if isinstance(column, NumberFeature):
            entry |= {"fill": column.fill, "scale": column.scaler}
            entry |= {"indicator": column.indicator, "clip": column.clip}
        elif isinstance(column, DateFeature):
            entry |= {"encode": column.encoder, "indicator": column.indicator}
        else:
            entry |= {"encode": column.encoder, "pooled": column.pooled}
        found.append(entry)
    return found


def features_of(state: Sequence[Mapping[str, Any]]) -> Features:
    """The features whose state was saved."""
    return Features(tuple(_feature_of(entry) for entry in state))


def _feature_of(entry: Mapping[str, Any]) -> Feature:
    name, kind, state = entry["name"], entry["type"], entry["state"]
    if kind == "category":
        return CategoryFeature(name, entry["encode"], state, entry["pooled"])
    if kind == "date":
        return DateFeature(name, entry["encode"], state, entry["indicator"])
    clip = None if entry["clip"] is None else tuple(entry["clip"])
    return NumberFeature(name, kind, entry["scale"], entry["fill"], state, entry["indicator"], clip)


def _indicated(names: list[str], column: str, indicator: bool) -> list[str]:
    return [*names, f"{column}={MISSING}"] if indicator else names


def _inputs(column: str, encoding: Encoding, state: State) -> tuple[InputColumn, ...]:
    levels = encoding.code_levels(state)
    kind: Any = "code" if levels else "number"
    return tuple(InputColumn(name, kind, levels) for name in encoding.feature_names(column, state))


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
