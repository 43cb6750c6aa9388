"""The columns of a check as a table that fits the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.table import Table

from nnctl.console.tables import room, table
from nnctl.console.text import named, number

if TYPE_CHECKING:
    from nnctl.checking import CheckedColumn

HEADER = ("column", "type", "missing", "distinct", "values", "transform", "width")
WORDS = ("column", "type", "values", "transform")
WIDEST, NARROWEST = 60, 20  # letters of the column `values`


def columns_table(columns: Sequence[CheckedColumn]) -> Table:
    """A row for each column; ranges and commonest levels get the room that the others leave."""
    width = min(WIDEST, max(NARROWEST, room(_table(columns, 0))))
    return _table(columns, width)


def _table(columns: Sequence[CheckedColumn], width: int) -> Table:
    rows = [(c.name, c.type, c.missing, c.distinct, _values(c, width), c.transform, c.width) for c in columns]
    return table(HEADER, rows, words=WORDS)


def _values(column: CheckedColumn, width: int) -> str:
    if column.range is not None:
        return _cut(" to ".join(map(_bound, column.range)), width)
    return _levels(column.levels, column.distinct, width)


def _bound(value: float | str) -> str:
    if isinstance(value, str):
        return value
    return str(int(value)) if value.is_integer() and abs(value) < 1e9 else number(value)


def _levels(levels: Mapping[str, int], distinct: int, width: int) -> str:
    """The commonest levels with their rows, as many as fit, one at least."""
    told = ""
    for place, (level, rows) in enumerate(levels.items(), 1):
        end = ", ..." if place < distinct else ""
        name, count = named(level), f" ({rows:,})"
        if not told:
            told = _cut(name, width - len(count) - len(end)) + count
        elif len(told) + 2 + len(name) + len(count) + len(end) <= width:
            told += f", {name}{count}"
        else:
            return f"{told}, ..."
    return f"{told}, ..." if len(levels) < distinct else told


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(0, width - 1)] + "…"
