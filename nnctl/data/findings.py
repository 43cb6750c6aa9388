"""Findings: what is said about types that nobody declared, where they may surprise."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from nnctl.data.columns import Column
from nnctl.data.dates import day_text
from nnctl.data.faults import key_of
from nnctl.data.numerals import are_codes
from nnctl.data.wording import literal


def findings(columns: Iterable[Column], declared: Collection[str]) -> list[str]:
    """Notes about columns whose type was found: dates, and codes with leading zeros."""
    notes = []
    for column in columns:
        if column.name in declared:
            continue
        extent = column.extent
        if column.type == "date" and extent is not None:
            span = " to ".join(map(day_text, extent))
            notes.append(
                f"column `{column.name}` holds dates ({span}) and is read as `{key_of(column.name)}.type: date`"
            )
        elif column.type == "category" and are_codes(column.levels):
            code = next(level for level in column.levels if are_codes([level]))
            notes.append(
                f"column `{column.name}` holds codes with leading zeros ({literal(code)}) and is read as a category; "
                f"for numbers declare `{key_of(column.name)}.type: number`"
            )
    return notes
