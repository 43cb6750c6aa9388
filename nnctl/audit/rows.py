"""The rows that the audit looks at, and their cells as numbers that mean the same in every table."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnctl.data.table import Column, Table
from nnctl.preparing.preparation import Prepared

Array = NDArray[Any]

MOST_ROWS = 100_000
MOST_CELLS = 3_000_000
FEWEST_ROWS = 1_000  # of tables with very many columns
CALLED = {"train": "training", "val": "validation", "test": "test"}


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Evenly spaced rows of a part, or all of them if they are few.

    Shapes: rows (n,) ascending places in the table; truth (n,) class codes, (n, L) label codes or (n, T) numbers
    """

    name: str  # train, val, test
    table: Table
    rows: Array
    truth: Array
    of: int  # rows of the part, of training those that count

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def called(self) -> str:
        """How a sentence names the rows, behind their number: ``validation rows``."""
        spaced = "" if len(self) == self.of else f" (evenly spaced ones of {self.of:,})"
        return f"{CALLED[self.name]} rows{spaced}"

    def at(self, places: Array) -> Sample:
        """Some of the rows."""
        return replace(self, rows=self.rows[places], truth=self.truth[places])

    def cells(self, name: str, like: Column) -> Array:
        """The cells of a column, see ``Cells``."""
        return Cells(self.table.columns[name], like)[self.rows]


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What the audit looks at.

    Of every part at most 100,000 rows, and fewer of a table with more than 30 columns: so many that all columns
    have 3 million cells, but 1,000 at least. Row i of n is then row floor(i * rows / n) of the part.
    """

    prepared: Prepared
    features: tuple[str, ...]
    samples: Mapping[str, Sample]

    @property
    def train(self) -> Sample:
        return self.samples["train"]

    @property
    def others(self) -> tuple[Sample, ...]:
        """The samples of the rows that are not learned from."""
        return tuple(sample for sample in self.samples.values() if sample.name != "train")

    def column(self, name: str) -> Column:
        """A column as the training rows have it."""
        return self.train.table.columns[name]

    def without(self, names: Collection[str]) -> Seen:
        """The same without some features."""
        return replace(self, features=tuple(name for name in self.features if name not in names))


class Cells:
    """The cells of a column, by their rows, as float64: nan where one is missing.

    Those of a category are places in the levels of the column ``like``, levels that it lacks coming behind them.
    """

    def __init__(self, column: Column, like: Column) -> None:
        self._values = column.values
        self._codes: Array | None = None
        if column.type == "category":
            places = {level: place for place, level in enumerate(like.levels)}
            codes = [places.setdefault(level, len(places)) for level in column.levels]
            self._codes = np.array([*codes, np.nan])  # code -1 is the last entry

    def __getitem__(self, rows: Array) -> Array:
        found = self._values[rows] if self._codes is None else self._codes[self._values[rows]]
        return np.asarray(found, np.float64)


def looked_at(prepared: Prepared) -> Seen:
    """The rows of every part that the audit looks at."""
    features = tuple(feature.name for feature in prepared.features.columns)
    most = min(MOST_ROWS, max(FEWEST_ROWS, MOST_CELLS // len(features)))
    samples = {}
    for name, part in prepared.dataset.parts.items():
        truth = prepared.examples[name].truth
        counting = prepared.dataset.fitting if name == "train" else part.rows
        rows = counting[evenly(len(counting), most)]
        places = np.searchsorted(part.rows, rows)
        samples[name] = Sample(name, part.table, rows, truth[places], len(counting))
    return Seen(prepared, features, samples)


def evenly(count: int, most: int) -> Array:
    """At most ``most`` evenly spaced places among ``count``."""
    return np.arange(count) if count <= most else np.arange(most) * count // most
