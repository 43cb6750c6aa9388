"""A table of thousands of rows: laid out here, since rich would take seconds."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from rich.cells import cell_len
from rich.text import Text

from nnctl.console.tables import line, show, width
from nnctl.console.text import clean, number

GAP = "  "


class Grid:
    """Looks as what `tables.table` makes; columns that there is no room for can be left away, never folded."""

    def __init__(self, header: Sequence[str], rows: Sequence[Sequence[object]], *, words: Sequence[str] = ()) -> None:
        self._columns = [[clean(name), *(number(row[place]) for row in rows)] for place, name in enumerate(header)]
        self._widths = [max(map(cell_len, column)) for column in self._columns]
        self._left = [name in words for name in header]

    def room(self) -> int:
        """How many of its columns stdout has room for, from the first."""
        ends = accumulate(each + len(GAP) for each in self._widths)
        limit = width() + len(GAP)
        return sum(end <= limit for end in ends)

    def show(self, columns: int) -> None:
        """Write so many columns to stdout."""
        shown = zip(self._columns[:columns], self._widths, self._left, strict=False)
        cells = [[_aligned(cell, room, left=left) for cell in column] for column, room, left in shown]
        header, *rows = (GAP.join(row) for row in zip(*cells, strict=True))
        show(line(header, "bold"), Text("\n".join(rows), no_wrap=True, overflow="ignore"))


def _aligned(text: str, room: int, *, left: bool) -> str:
    blanks = " " * (room - cell_len(text))
    return text + blanks if left else blanks + text
