"""The rows of two metrics.csv side by side."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from io import TextIOWrapper
from itertools import zip_longest
from pathlib import Path

from nnctl.errors import Place, Problem, RunError
from nnctl.runs import atomic

TIMING = ("seconds",)  # columns that are never the same twice


@dataclass(frozen=True, slots=True)
class RowDifference:
    """The first epoch in which two runs are not the same."""

    epoch: int
    columns: tuple[str, ...]  # that differ; none where only one of the runs has the row


def first_difference(a: Path, b: Path) -> RowDifference | None:
    """The first row in which two metrics.csv differ, timing aside; None if they are the same.

    Raises: RunError if one of them cannot be read.
    """
    for ours, theirs in zip_longest(_rows(a), _rows(b)):
        if ours is None or theirs is None:
            return RowDifference(_epoch(ours or theirs or {}, a), ())
        differing = [name for name in {**ours, **theirs} if name not in TIMING and ours.get(name) != theirs.get(name)]
        if differing:
            return RowDifference(min(_epoch(ours, a), _epoch(theirs, b)), tuple(differing))
    return None


def _rows(path: Path) -> Iterator[dict[str, str]]:
    place = Place(str(path))
    try:
        with TextIOWrapper(atomic.open_regular(path), encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file, restkey="", restval="", strict=True)
    except OSError as error:
        raise RunError(Problem(f"cannot be read: {atomic.reason(error)}", place=place)) from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise RunError(Problem("is damaged: it is no CSV file", place=place)) from error


def _epoch(row: dict[str, str], path: Path) -> int:
    try:
        return int(row.get("epoch", ""))
    except ValueError:
        raise RunError(Problem("is damaged: a row has no epoch", place=Place(str(path)))) from None
