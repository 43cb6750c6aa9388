"""A split that a column of the data makes."""

from __future__ import annotations

import numpy as np

from nnctl.blocks import taken, where
from nnctl.component import component, option
from nnctl.errors import DataError, Problem
from nnctl.splits import SPLIT_COLUMN, Indices, Parts, Rows, Split, parts_where, plural
from nnctl.splits.cells import Cells

SAYS = {"test": 0, "val": 1, "train": 2}


@component("column", examples=[{"column": "part"}])
class Column(Split):
    """Each row is in the part that its cell names: train, val or test, spelled so.

    Raises: DataError if a cell says anything else, or none says train.
    """

    unfoldable = (
        "the column says which rows validate; write `type: random`, and give rows that are to stay test rows in "
        "`data.test_path`"
    )

    column: str = option(help="Column whose cells say train, val or test.")

    def cut(self, rows: Rows, rng: np.random.Generator) -> Parts:
        assert rows.column is not None
        cells = Cells.of(rows.column)
        said = np.array([SAYS.get(name, -1) for name in cells.names], np.int8)
        part = taken(said, cells.codes)
        strangers = where(part < 0)
        if len(strangers):
            raise DataError(self._refused(rows, cells, strangers))
        found = parts_where(part)
        if len(found.train) == 0:
            say = f"column `{self.column}` says {len(found.val)} val and {len(found.test)} test"
            raise DataError(
                Problem(
                    f"no row is left for training: of {plural(rows.count, 'row')}, {say}; write train in some",
                    SPLIT_COLUMN,
                )
            )
        return found

    def _refused(self, rows: Rows, cells: Cells, strangers: Indices) -> list[Problem]:
        """One problem for each value that names no part, at the first of those rows that has it."""
        codes, places = np.unique(taken(cells.codes, strangers), return_index=True)
        first = sorted(zip(strangers[places].tolist(), codes.tolist(), strict=True))
        return [
            Problem(
                f"column `{self.column}` must say train, val or test, got `{cells.names[code]}`",
                SPLIT_COLUMN,
                rows.place_of(row) if rows.place_of else None,
            )
            for row, code in first
        ]
