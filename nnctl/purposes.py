"""What each column of an unknown table is probably for: a feature, a date, a name of its row, or nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from nnctl.data.columns import FEWEST, Column
from nnctl.data.dates import FORMATS, SHORT, formats
from nnctl.data.table import Table
from nnctl.spec.problems import format_key, listed

Purpose = Literal["feature", "target", "id", "drop"]

SAMPLE = 1000  # texts that a format of dates is tried on, where they are no dates by themselves
PROSE = 25  # letters, blanks among them, from which on a text is one to read and no name
_NAMES = re.compile(
    r"(.*[_\-. ])?(id|ids|no|nr|num|number|index|idx|key|uuid|guid|unnamed: 0)|.*[a-z](Id|ID)|rowid", re.I
)


@dataclass(frozen=True, slots=True)
class Role:
    """A column, what it is proposed for, and why, where that is not plain."""

    column: Column
    purpose: Purpose
    why: str = ""
    options: dict[str, str] = field(default_factory=dict)  # for `data.columns`

    @property
    def type(self) -> str:
        return self.options.get("type", self.column.type)


def roles_of(table: Table, targets: Sequence[str]) -> list[Role]:
    """The role of every column, in the order of the table.

    At least one column stays a feature if any could be one.
    """
    unclear = {problem.key for problem in table.undecided}
    found = [
        Role(column, "target")
        if column.name in targets
        else _role(column, table, undecided=format_key(("data", "columns", column.name)) in unclear)
        for column in table.columns.values()
    ]
    if any(role.purpose == "feature" for role in found):
        return found
    # Numbers that look like numbers of rows may be all there is, as in a table of x and y.
    return [Role(role.column, "feature") if _could_serve(role) else role for role in found]


def _role(column: Column, table: Table, *, undecided: bool) -> Role:
    extent = column.extent
    if extent is None:
        return Role(
            column, "drop", "is of a type that cannot be learned from" if undecided else "has no value in any row"
        )
    if extent[0] == extent[1] and (column.type != "category" or not column.missing):
        return Role(column, "drop", "has the same value in every row" + " that has one" * bool(column.missing))
    if undecided:
        return _undecided(column)
    if column.type == "date":
        return Role(column, "feature", options={"type": "date"})
    if column.type == "number" and _numbers_rows(column, extent, table.rows):
        return Role(column, "id", "numbers the rows")
    return Role(column, "feature")


def _undecided(column: Column) -> Role:
    """The role of texts that could not be taken for categories, or of numbers that are the index of a DataFrame."""
    if column.type != "category":
        return Role(column, "id", "is the index of a DataFrame")
    texts = column.levels
    dates = formats(texts, FORMATS) or (formats(texts[:SAMPLE], SHORT) and formats(texts, SHORT))
    if len(dates) == 1:
        return Role(column, "feature", options={"type": "date", "format": dates[0]})
    if dates:
        ways = listed(dates)
        return Role(column, "drop", f"holds dates, and nothing tells which format, {ways}: declare one in `columns`")
    rare = f"{len(texts):,} distinct texts in {column.values.size - column.missing:,} rows"
    prose = sum(len(text) > PROSE and " " in text for text in texts)
    if 2 * prose > len(texts):
        return Role(column, "drop", f"is text, {rare}")
    return Role(column, "id", f"names the rows, {rare}")


def _numbers_rows(column: Column, extent: tuple[float, float], rows: int) -> bool:
    """Whether numbers count the rows, or are all different in a column whose name says that they are names."""
    if rows < FEWEST or not column.whole or column.missing:
        return False
    counts = extent[1] - extent[0] == rows - 1 and bool((np.diff(column.values) == 1).all())
    return counts or (_NAMES.fullmatch(column.name) is not None and column.distinct == rows)


def _could_serve(role: Role) -> bool:
    """Whether a column that was left out could be learned from all the same."""
    return role.purpose == "id" and role.column.type == "number"
