"""Refusals of cells that a column's type allows, but its transform does not."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nnctl.blocks import blocks
from nnctl.data.wording import SHOWN
from nnctl.errors import DataError, Place, Problem
from nnctl.spec.problems import MAX_LISTED, shown, some, suggest
from nnctl.spec.synonyms import SYNONYMS
from nnctl.transforms import Scaler

if TYPE_CHECKING:
    from nnctl.data.table import Column, Table


def no_column(table: Table, name: str, role: str = "") -> str:
    """What is said of a table that lacks a column: who that is, what was probably meant, and what there is."""
    who = f"{shown(name)}, {role}" if role else shown(name)
    meant = suggest(name, table.header, SYNONYMS)
    guess = "allowed:" if meant is None else f"did you mean {shown(meant)}? It has"
    return f"{table.path} has no column {who}, {guess} {some(table.header)}{_other_delimiter(table.header, name)}"


def _other_delimiter(header: tuple[str, ...], name: str) -> str:
    """What is said of a single column that holds a name between what may be delimiters."""
    marks = [] if len(header) != 1 else [mark for mark in header[0] if mark.isascii() and not mark.isalnum()]
    for mark in dict.fromkeys(marks):
        if name in (part.strip(" \"'") for part in header[0].split(mark)):
            return f": 1 column; if {shown(mark)} is the delimiter, set `data.format.delimiter`"
    return ""


def check_columns(path: Path, used: Collection[str], header: Sequence[str]) -> None:
    """Raises: DataError if the header lacks columns that training used: which, and what they may be called here."""
    missing = [name for name in used if name not in header]
    if not missing:
        return
    free = [name for name in header if name and name not in used]
    meant = {name: near for name in missing[:MAX_LISTED] if (near := suggest(name, free))}
    guess = ", ".join(shown(near) + f" (for {shown(name)})" * (len(missing) > 1) for name, near in meant.items())
    end = f"did you mean {guess}?" if meant else f"it has {some(header)}"
    raise DataError(Problem(f"{path}: has no column {some(missing)}, which training used; {end}"))


def refused(table: Table, column: Column, rows: NDArray[Any], fault: str) -> Problem:
    """The problem with the cells of a column of numbers in some rows, one at least: the first few with their places."""
    lines = [table.line(row) for row in rows[:SHOWN].tolist()]
    cells = [
        f"{table.unit} {line}" if np.isnan(value) else f"{value:.15g} ({table.unit} {line})"
        for line, value in zip(lines, column.values[rows[:SHOWN]].tolist(), strict=True)
    ]
    more = f" and {len(rows) - SHOWN} more" if len(rows) > SHOWN else ""
    says = f"{len(rows)} of {table.rows} cells {'is' if len(rows) == 1 else 'are'} {fault}"
    return Problem(f"column `{column.name}`: {says}: {', '.join(cells)}{more}", place=Place(str(table.path), lines[0]))


def outside(table: Table, column: Column, scaler: Scaler, rows: NDArray[Any] | None = None) -> list[Problem]:
    """The problem with those of the rows, or of all, whose number the scaler does not take, if there are any."""
    if scaler.takes_all:
        return []
    if rows is None:
        bad = places(lambda part: scaler.outside(column.values[part]), table.rows)
    else:
        bad = rows[places(lambda part: scaler.outside(column.values[rows[part]]), len(rows))]
    fault = f"outside of what {scaler.name} takes ({scaler.domain})"
    return [refused(table, column, bad, fault)] if len(bad) else []


def places(holds: Callable[[slice], NDArray[np.bool_]], count: int) -> NDArray[Any]:
    """The places from 0 to count at which something holds, asked block by block."""
    found = [np.flatnonzero(holds(part)) + part.start for part in blocks(count)]
    return np.concatenate([np.zeros(0, np.int64), *found])
