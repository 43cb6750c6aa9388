"""A split that a column of the data makes."""

from __future__ import annotations

import numpy as np

from nnctl.component import component, option
from nnctl.errors import DataError, Problem
from nnctl.splits import SPLIT_COLUMN, Parts, Rows, Split, parts_of, plural

PARTS = ("train", "val", "test")


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
        cells = np.array(rows.column, dtype=object)
        found = {part: np.flatnonzero(cells == part) for part in PARTS}
        if sum(len(indices) for indices in found.values()) < rows.count:
            raise DataError(self._strangers(rows))
        if len(found["train"]) == 0:
            said = " and ".join(f"{len(found[part])} {part}" for part in ("val", "test"))
            raise DataError(
                Problem(
                    f"no row is left for training: of {plural(rows.count, 'row')}, column `{self.column}` says {said}; "
                    f"write train in some",
                    SPLIT_COLUMN,
                )
            )
        return parts_of(*(found[part] for part in PARTS))

    def _strangers(self, rows: Rows) -> list[Problem]:
        """One problem for each value that names no part, at the first row that has it."""
        assert rows.column is not None
        first: dict[str, int] = {}
        for row, cell in enumerate(rows.column):
            if cell not in PARTS:
                first.setdefault(cell, row)
        return [
            Problem(
                f"column `{self.column}` must say train, val or test, got `{cell}`",
                SPLIT_COLUMN,
                rows.place_of(row) if rows.place_of else None,
            )
            for cell, row in first.items()
        ]
