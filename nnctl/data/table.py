"""A table: a CSV file as typed columns."""

from __future__ import annotations

import csv
import io
import re
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nnctl.data.cells import CsvFile, changed, open_csv
from nnctl.data.columns import Column as Column
from nnctl.data.columns import Notation, Numbers, Refusal, Texts, Undecided, number_column, typed_column
from nnctl.errors import DataError, Place, Problem

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Typed columns, all of the same length, in the order of the file."""

    path: Path
    rows: int
    columns: dict[str, Column]
    sha256: str  # of the file's bytes; empty for a frame
    find_line: Callable[[int], int] = field(repr=False)
    header: tuple[str, ...]  # the names of all columns, of those that were not read, too
    delimiter: str = ","  # of the file
    undecided: tuple[Problem, ...] = ()  # about features of texts that nobody has declared, see ``Undecided``

    def line(self, row: int) -> int:
        """The line of the file in which a data row (from 0) starts, found by reading the file again.

        Of a frame it is the number of the row, from 1.
        """
        return self.find_line(row)


def read_table(
    path: Path,
    *,
    missing_values: Sequence[str],
    types: Mapping[str, str] | None = None,
    only: Collection[str] | None = None,
    delimiter: str = ",",
    encoding: str = "utf-8",
    decimal: str = ".",
    dates: Mapping[str, str] | None = None,
    others: Collection[str] = (),
) -> Table:
    """Read a CSV file, plain or packed (.gz, .bz2, .xz, .zip).

    ``types`` are declared types (number, boolean, category, date, text), which win over what the cells look like;
    ``only`` are the columns to read, all of them if None; ``dates`` are the formats of columns of dates that are not
    ISO 8601; ``others`` are columns that are no features, see ``Notation``. A name in any of them that the file does
    not have is left to the caller.

    Raises: DataError if there is no such file, or its cells are not what they should be.
    """
    file = open_csv(path, delimiter=delimiter, encoding=encoding)
    return parse_table(
        file, missing_values=missing_values, types=types, only=only, decimal=decimal, dates=dates, others=others
    )


def parse_table(
    file: CsvFile,
    *,
    missing_values: Sequence[str],
    types: Mapping[str, str] | None = None,
    only: Collection[str] | None = None,
    decimal: str = ".",
    dates: Mapping[str, str] | None = None,
    others: Collection[str] = (),
) -> Table:
    """The table in an open file, options as in ``read_table``."""
    notation, declared = notation_of(missing_values, decimal, dates, others), types or {}
    # A nameless column is read as a category, which takes any cell: it only matters whether there is one.
    kinds = {
        i: declared.get(name) if name else "category"
        for i, name in enumerate(file.header)
        if not name or only is None or name in only
    }
    cells = _parse(file, kinds, notation)
    columns = {i: column_of(file.header[i], cells[i], kind, notation) for i, kind in kinds.items()}
    refused = [column for column in columns.values() if isinstance(column, Refusal)]
    lines = file.lines({row for refusal in refused for row in refusal.rows})
    problems = [*_nameless(file, columns), *(refusal.problem(str(file.path), lines) for refusal in refused)]
    undecided = [column for column in refused if isinstance(column, Undecided)]
    if len(problems) > len(undecided):
        raise DataError(problems)
    columns |= {i: column.category for i, column in columns.items() if isinstance(column, Undecided)}
    named = {column.name: column for column in columns.values() if isinstance(column, Column) and column.name}
    find_line, header = _line_finder(file), tuple(file.header)
    return Table(file.path, file.rows, named, file.sha256, find_line, header, file.delimiter, tuple(problems))


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


def _parse(file: CsvFile, kinds: Mapping[int, str | None], notation: Notation) -> dict[int, Numbers | Texts]:
    """The cells of some columns by their places in the header, given the declared type of each, or None."""
    declared = {i: str for i, kind in kinds.items() if kind in ("boolean", "category", "date", "text")}
    frame = _read_csv(file, notation, declared)
    numbers = {i: None if i in declared else _numbers(frame[i]) for i in kinds}
    unclear = {i: str for i, values in numbers.items() if values is None and frame[i].dtype != "str"}
    # pandas decides one thing only: whether all of a column are finite numbers. It hands over the texts otherwise.
    texts = _read_csv(file, notation, unclear, list(unclear)) if unclear else frame
    return {
        i: _cells(texts[i] if i in unclear else frame[i]) if values is None else values for i, values in numbers.items()
    }


def _read_csv(
    file: CsvFile, notation: Notation, types: Mapping[int, type[str]], only: list[int] | None = None
) -> pandas.DataFrame:
    import pandas

    # Given a path and no choice of columns, pandas uses several threads. It would take ~ in a path for a home.
    source = file.path.absolute() if file.verbatim and only is None else io.BytesIO(_without_bare_returns(file))
    try:
        with warnings.catch_warnings():
            # It types a column piece by piece, and warns where they differ; such a column is read again as texts.
            warnings.simplefilter("ignore", pandas.errors.DtypeWarning)
            frame = pandas.read_csv(
                source,
                sep=file.delimiter,
                header=0,
                names=range(len(file.header)),  # places in the header, since pandas changes names
                index_col=False,
                usecols=only,
                dtype=types,
                keep_default_na=False,
                # A number among them would count in columns of texts, too, and in any spelling: see Notation.
                na_values=[text for text in notation.missing if not re.search(r"\d|inf", text, re.IGNORECASE)],
                skipinitialspace=file.delimiter != " " and b" " in file.data,
                decimal=notation.decimal,
                encoding="utf-8",
                compression=None,
            )
    finally:
        file.check_unchanged()
    assert len(frame) == file.rows, "pandas and the csv module differ in what a row is"
    return frame


def _without_bare_returns(file: CsvFile) -> bytes:
    # pandas takes a line end of one \r and the delimiter after it for one: it loses an empty first cell.
    if not re.search(rb"\r(?!\n)", file.data):
        return file.data
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=file.delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerows([file.header, *(cells for _, cells in file.records())])
    return text.getvalue().encode()


def _numbers(series: pandas.Series[Any]) -> Numbers | None:
    """The column as pandas read it, if it is nothing but finite numbers and missing values."""
    if series.dtype.kind not in "iuf":
        return None
    values = series.to_numpy(np.float64)
    return None if np.isinf(values).any() else values


def _cells(series: pandas.Series[Any]) -> Texts:
    codes, texts = series.factorize()
    return Texts(codes, [str(text) for text in texts])


def _nameless(file: CsvFile, columns: Mapping[int, Column | Refusal]) -> Iterator[Problem]:
    """Columns without a name that have values; those without are the trace of a delimiter at the end of lines."""
    for i, column in columns.items():
        if not file.header[i] and isinstance(column, Column) and column.missing < file.rows:
            row = int(np.argmax(column.present))
            line = file.lines([row])[row]
            yield Problem(
                f"column {i + 1} has no name, but has values; name it in the header", place=Place(str(file.path), line)
            )


def _line_finder(file: CsvFile) -> Callable[[int], int]:
    if file.stamp is None:
        return partial(_line_in, file)
    return partial(_line_of, file.path, file.delimiter, file.encoding, file.sha256)


def _line_in(file: CsvFile, row: int) -> int:
    return file.lines([row])[row]


def _line_of(path: Path, delimiter: str, encoding: str, sha256: str, row: int) -> int:
    file = open_csv(path, delimiter=delimiter, encoding=encoding)
    if file.sha256 != sha256:
        raise changed(path)
    return _line_in(file, row)
