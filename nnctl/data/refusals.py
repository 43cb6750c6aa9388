"""Refusals of cells that a column's type allows, but its transform does not."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnctl.data.cells import SHOWN
from nnctl.data.table import Column, Table
from nnctl.errors import Place, Problem
from nnctl.spec.problems import shown, some, suggest
from nnctl.spec.synonyms import SYNONYMS
from nnctl.transforms import Scaler


def no_column(table: Table, name: str, role: str = "") -> str:
    """What is said of a table that lacks a column: who that is, what was probably meant, and what there is."""
    who = f"{shown(name)}, {role}" if role else shown(name)
    meant = suggest(name, table.header, SYNONYMS)
    guess = "allowed:" if meant is None else f"did you mean {shown(meant)}? It has"
    return f"{table.path} has no column {who}, {guess} {some(table.header)}"


def refused(table: Table, column: Column, rows: NDArray[Any], fault: str) -> Problem:
    """The problem with the cells of a column of numbers in some rows, one at least: the first few by line and value."""
    lines = [table.line(row) for row in rows[:SHOWN].tolist()]
    cells = [
        f"line {line}" if np.isnan(value) else f"{value:.15g} (line {line})"
        for line, value in zip(lines, column.values[rows[:SHOWN]].tolist(), strict=True)
    ]
    more = f" and {len(rows) - SHOWN} more" if len(rows) > SHOWN else ""
    says = f"{len(rows)} of {table.rows} cells {'is' if len(rows) == 1 else 'are'} {fault}"
    return Problem(f"column `{column.name}`: {says}: {', '.join(cells)}{more}", place=Place(str(table.path), lines[0]))


def outside(table: Table, column: Column, scaler: Scaler, rows: NDArray[Any]) -> list[Problem]:
    """The problem with those of the rows whose number the scaler does not take, if there are any."""
    bad = rows[scaler.outside(column.values[rows])]
    fault = f"outside of what {scaler.name} takes ({scaler.domain})"
    return [refused(table, column, bad, fault)] if len(bad) else []
