"""A table: a CSV or parquet file as typed columns."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnctl.data.cells import CsvFile, open_csv
from nnctl.data.columns import Column as Column
from nnctl.data.columns import Notation, Numbers, Refusal, Texts, Undecided, number_column, typed_column
from nnctl.data.packing import is_parquet
from nnctl.data.parquet import ParquetFile, open_parquet
from nnctl.data.parsing import Gathered, parse
from nnctl.data.room import Columns
from nnctl.data.source import changed
from nnctl.data.text import FileText
from nnctl.errors import DataError, Place, Problem


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Typed columns, all of the same length, in the order of the file."""

    path: Path
    rows: int
    columns: dict[str, Column]
    sha256: str  # of the file's bytes; empty for a frame
    find_lines: Callable[[Collection[int]], Mapping[int, int]] = field(repr=False)
    header: tuple[str, ...]  # the names of all columns, of those that were not read, too
    delimiter: str = ","  # of the file
    unit: str = "line"  # what ``line`` counts, as messages call it
    undecided: tuple[Problem, ...] = ()  # about features that nobody has declared, see ``Undecided``

    def line(self, row: int) -> int:
        """The line of the file in which a data row (from 0) starts, found by reading the file again.

        Of a frame or a parquet file it is the number of the row, from 1.
        """
        return self.find_lines([row])[row]

    def lines(self, rows: Collection[int]) -> Mapping[int, int]:
        """The same of some rows, for which the file is read only once."""
        return self.find_lines(rows)

    def take(self, rows: NDArray[Any], names: Collection[str]) -> Table:
        """Some rows of some columns as a table of their own."""
        columns = {
            name: replace(column, values=column.values[rows]) for name, column in self.columns.items() if name in names
        }
        return replace(self, rows=len(rows), columns=columns, find_lines=partial(_lines_among, self, rows))


def read_table(
    path: Path,
    *,
    missing_values: Sequence[str],
    types: Mapping[str, str] | None = None,
    only: Collection[str] | None = None,
    unread: Collection[str] = (),
    delimiter: str = ",",
    encoding: str = "utf-8",
    decimal: str = ".",
    dates: Mapping[str, str] | None = None,
    others: Collection[str] = (),
    folder: Path | None = None,
) -> Table:
    """Read a CSV file, plain or packed (.gz, .bz2, .xz, .zip), or a parquet file (.parquet, .pq).

    ``types`` are declared types (number, boolean, category, date, text), which win over what the cells look like;
    ``only`` are the columns to read, all of them if None, but for those in ``unread``; ``dates`` are the formats of
    columns of dates that are not ISO 8601; ``others`` are columns that are no features, see ``Notation``. A name in any
    of them that the file does not have is left to the caller. Large columns lie in an unnamed file in ``folder``, or
    where temporary files do.

    Raises: DataError if there is no such file, or its cells are not what they should be.
    """
    file = open_table(path, delimiter=delimiter, encoding=encoding)
    return parse_table(
        file,
        missing_values=missing_values,
        types=types,
        only=only,
        unread=unread,
        decimal=decimal,
        dates=dates,
        others=others,
        folder=folder,
    )


TableFile = CsvFile | ParquetFile


def open_table(path: Path, *, delimiter: str = ",", encoding: str = "utf-8") -> TableFile:
    """Open a CSV or parquet file, by its name. How texts are written says nothing about a parquet file.

    Raises: SpecError, DataError as ``open_csv`` and ``open_parquet``.
    """
    return open_parquet(path) if is_parquet(path) else open_csv(path, delimiter=delimiter, encoding=encoding)


def parse_table(
    file: TableFile,
    *,
    missing_values: Sequence[str],
    types: Mapping[str, str] | None = None,
    only: Collection[str] | None = None,
    unread: Collection[str] = (),
    decimal: str = ".",
    dates: Mapping[str, str] | None = None,
    others: Collection[str] = (),
    folder: Path | None = None,
) -> Table:
    """The table in an open file, options as in ``read_table``."""
    notation, declared = notation_of(missing_values, decimal, dates, others), types or {}
    # A nameless column is read as a category, which takes any cell: it only matters whether there is one.
    kinds = {
        i: declared.get(name) if name else "category"
        for i, name in enumerate(file.header)
        if not name or (name not in unread and (only is None or name in only))
    }
    store = Columns(file.rows, len(kinds), folder)
    columns = _columns(file, kinds, notation, store)
    refused = [column for column in columns.values() if isinstance(column, Refusal)]
    lines = file.lines({row for refusal in refused for row in refusal.rows})
    again = _second_header(file, columns) if isinstance(file, CsvFile) else ()
    wrong, unit = [*_nameless(file, columns), *again], "line" if isinstance(file, CsvFile) else "row"
    problems = [*wrong, *(refusal.problem(str(file.path), lines, unit=unit) for refusal in refused)]
    undecided = [column for column in refused if isinstance(column, Undecided)]
    if len(problems) > len(undecided):
        raise DataError(problems)
    columns |= {i: column.category for i, column in columns.items() if isinstance(column, Undecided)}
    named = {
        column.name: replace(column, values=store.keep(place, column.values))
        for place, column in enumerate(columns.values())
        if isinstance(column, Column) and column.name
    }
    find_lines, header = _line_finder(file), tuple(file.header)
    return Table(file.path, file.rows, named, file.sha256, find_lines, header, file.delimiter, unit, tuple(problems))


def _columns(
    file: TableFile, kinds: Mapping[int, str | None], notation: Notation, store: Columns
) -> dict[int, Column | Refusal]:
    """Some columns by their places in the header, given the declared type of each, or None."""
    if isinstance(file, ParquetFile):
        return file.columns(kinds, notation, store)
    cells = parse(file, kinds, notation, store)
    return {i: _column(file.header[i], cells[i], kind, notation) for i, kind in kinds.items()}


def _column(name: str, cells: Gathered, declared: str | None, notation: Notation) -> Column | Refusal:
    if cells.kind == "texts":
        return column_of(name, cells.cells, declared, notation)
    assert not isinstance(cells.cells, Texts)
    return Column(name, "number", cells.cells, whole=cells.whole)


def notation_of(
    missing_values: Sequence[str],
    decimal: str,
    dates: Mapping[str, str] | None,
    others: Collection[str] = (),
) -> Notation:
    return Notation(frozenset(text.strip() for text in missing_values), decimal, dates or {}, others)


def column_of(name: str, cells: Numbers | Texts, declared: str | None, notation: Notation) -> Column | Refusal:
    if isinstance(cells, Texts):
        return typed_column(name, cells, declared, notation)
    return number_column(name, cells, notation)


def _nameless(file: TableFile, columns: Mapping[int, Column | Refusal]) -> Iterator[Problem]:
    """Columns without a name that have values; those without are the trace of a delimiter at the end of lines."""
    for i, column in columns.items():
        if not file.header[i] and isinstance(column, Column) and column.missing < file.rows:
            row = int(np.argmax(column.present))
            line = file.lines([row])[row]
            yield Problem(
                f"column {i + 1} has no name, but has values; name it in the header", place=Place(str(file.path), line)
            )


def _second_header(file: CsvFile, columns: Mapping[int, Column | Refusal]) -> Iterator[Problem]:
    """The row that repeats all names, where two files were put together; a column of numbers would have refused it."""
    again = np.ones(file.rows, bool)
    for i, column in columns.items():
        name = file.header[i]
        texts = column.levels if isinstance(column, Column) and column.type == "category" else ()
        found = [code for code, text in enumerate(texts) if text.removeprefix("\ufeff") == name]
        if len(columns) < 2 or not name or not found:
            return
        assert isinstance(column, Column)
        again &= np.isin(column.values, found)
    if again.any():
        line = file.lines([row := int(np.argmax(again))])[row]
        message = "this line is the header again; if two files were put together, delete it"
        yield Problem(message, place=Place(str(file.path), line))


def _line_finder(file: TableFile) -> Callable[[Collection[int]], Mapping[int, int]]:
    if isinstance(file, ParquetFile):
        return row_numbers
    if file.read_once or isinstance(file.text, FileText):
        return file.lines
    return partial(_lines_of, file.path, file.delimiter, file.encoding, file.sha256)


def row_numbers(rows: Collection[int]) -> dict[int, int]:
    """What stands for lines where there are none."""
    return {row: row + 1 for row in rows}


def _lines_among(table: Table, places: NDArray[Any], rows: Collection[int]) -> dict[int, int]:
    """The lines of rows of a table that holds those at some places of another one."""
    found = table.find_lines([int(places[row]) for row in rows])
    return {row: found[int(places[row])] for row in rows}


def _lines_of(path: Path, delimiter: str, encoding: str, sha256: str, rows: Collection[int]) -> dict[int, int]:
    """The lines in a file that is opened again: its text was a copy, which has been dropped."""
    file = open_csv(path, delimiter=delimiter, encoding=encoding)
    if file.sha256 != sha256:
        raise changed(path)
    return file.lines(rows)
