"""Parquet files: opened, and their columns read by the types that the file declares."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnctl.data.arrow import kind_of, moment, numbers, plain, seconds, texts, written_cells
from nnctl.data.columns import Column, Notation, Numbers, Refusal, Texts, typed_column
from nnctl.data.dates import FIRST, LAST
from nnctl.data.faults import Strays, data_frame_index, unreadable
from nnctl.data.numerals import not_finite
from nnctl.data.parsing import Gathered
from nnctl.data.room import Columns
from nnctl.data.scanning import repeated
from nnctl.data.source import changed, sha256_of, stamp_of
from nnctl.data.wording import SHOWN, in_file
from nnctl.errors import DataError

MAGIC, ENCRYPTED = b"PAR1", b"PARE"
INDEX = "__index_level_"  # begins the names that pandas gives to what names the rows of a DataFrame

_CELLS = 1 << 18  # read together
_FEWEST, _MOST = 1 << 10, 1 << 16  # rows of them
_BUFFER = 1 << 16  # bytes of a column that are read together: pages are unpacked one by one
_NO_NUMBER = ("is not a finite number", "are not finite numbers")
_NO_DATE = ("is not a date of the years 1 to 9999", "are not dates of the years 1 to 9999")


@dataclass(frozen=True, slots=True, eq=False)
class ParquetFile:
    """A parquet file with rows and columns. It is read batch by batch, as often as is asked."""

    path: Path
    header: tuple[str, ...]  # names without surrounding blanks; never twice the same
    rows: int
    sha256: str
    types: tuple[Any, ...] = field(repr=False)  # of the columns, as pyarrow has them
    delimiter: str = ","  # of what is written for it
    _stamp: tuple[int, ...] = ()

    def lines(self, rows: Collection[int]) -> dict[int, int]:
        """The numbers of rows, from 1: what messages name in place of lines."""
        return {row: row + 1 for row in rows}

    def columns(
        self, kinds: Mapping[int, str | None], notation: Notation, store: Columns
    ) -> dict[int, Column | Refusal]:
        """Some columns by their places in the header, given the declared type of each, or None.

        The file decides what is a number (the nearest one of 64 bits, for integers and decimals that have more digits
        than it can have), a boolean, a date (to the microsecond, in UTC where there is a zone) or a text; texts are
        then read as those of a CSV file.
        """
        readers = {
            i: _Reader(self.header[i], self.types[i], kind, notation, store, place)
            for place, (i, kind) in enumerate(kinds.items())
        }
        at = 0
        for batch in self._batches([i for i, reader in readers.items() if reader.kind]):
            for i, array in batch.items():
                with _reading(self.path):
                    readers[i].add(at, array)
            at += len(array)
        return {i: reader.column(self.rows) for i, reader in readers.items()}

    def text_rows(self) -> Iterator[list[str]]:
        """All rows as texts: numbers as the shortest decimals that read back, dates as in ISO 8601, missing empty."""
        for batch in self._batches(range(len(self.header))):
            with _reading(self.path):
                columns = [written_cells(array) for array in batch.values()]
            yield from map(list, zip(*columns, strict=True))

    def _batches(self, places: Collection[int]) -> Iterator[dict[int, Any]]:
        """Some columns, so many rows at a time. Raises: DataError if the file has changed, or is damaged."""
        if not places:
            return
        with _reading(self.path), self.path.open("rb") as stream:
            file = _open(stream)
            names = file.schema_arrow.names
            rows = min(_MOST, max(_FEWEST, _CELLS // len(places)))
            batches = file.iter_batches(rows, columns=[names[i] for i in places], use_threads=False)
            read = 0
            for batch in batches:
                read += batch.num_rows
                yield {i: batch.column(batch.schema.get_field_index(names[i])) for i in places}
        if read != self.rows or stamp_of(self.path.stat()) != self._stamp:
            raise changed(self.path)
        _give_back_memory()


def open_parquet(path: Path) -> ParquetFile:
    """Open a parquet file.

    Raises: DataError if there is no such file, it is no parquet file, has no rows, or pyarrow is not installed.
    """
    if path.is_dir():
        raise DataError(in_file(path, "this is a folder; give the path of one parquet file that holds all rows"))
    if path.exists() and not path.is_file():
        raise DataError(in_file(path, "a parquet file cannot be read from a pipe or a device; write it to the disk"))
    stamp = stamp_of(path.stat()) if path.exists() else ()
    sha256 = sha256_of(path)
    _check_magic(path)
    try:
        import pyarrow  # noqa: F401
    except ImportError as error:
        found = "" if isinstance(error, ModuleNotFoundError) else f" (what is installed says: {error})"
        message = (
            f"to read parquet files, nnctl needs pyarrow{found}: pip install 'nnctl[parquet]', or export it as CSV"
        )
        raise DataError(in_file(path, message)) from None
    with _reading(path), path.open("rb") as stream:
        file = _open(stream)
        schema, rows = file.schema_arrow, file.metadata.num_rows
    header = tuple(name.strip() for name in schema.names)
    twice = [name for name in dict.fromkeys(header) if header.count(name) > 1]
    if twice:
        raise DataError(in_file(path, repeated(header, name)) for name in twice)
    if not rows or not header:
        raise DataError(in_file(path, "no data rows" if header else "the file has no columns"))
    return ParquetFile(path, header, rows, sha256, tuple(schema.types), _stamp=stamp)


def _check_magic(path: Path) -> None:
    with path.open("rb") as stream:
        first = stream.read(len(MAGIC))
    if first == ENCRYPTED:
        raise DataError(in_file(path, "the file is encrypted; write it without encryption"))
    if first != MAGIC:
        message = "this is not a parquet file; if it is a CSV file, name it so, or write it as parquet again"
        raise DataError(in_file(path, message))


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    import pyarrow

    try:
        yield
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        message = f"the file cannot be read, it seems to be damaged ({reason}); write it again"
        raise DataError(in_file(path, message)) from None


def _give_back_memory() -> None:
    import pyarrow

    pyarrow.default_memory_pool().release_unused()


def _open(stream: Any) -> Any:
    from pyarrow.parquet import ParquetFile as Opened

    return Opened(
        stream,
        pre_buffer=False,
        buffer_size=_BUFFER,
        page_checksum_verification=True,
        coerce_int96_timestamp_unit="us",
    )


class _Reader:
    """The cells of a column, batch after batch, and those that are refused."""

    def __init__(
        self, name: str, type: Any, declared: str | None, notation: Notation, store: Columns, place: int
    ) -> None:
        self.kind = kind_of(type)
        self._name, self._type, self._declared, self._notation = name, type, declared, notation
        read_as = "number" if self.kind == "nothing" else self.kind
        self._read_as = read_as if read_as in ("number", "date") and declared in (None, read_as) else "text"
        # Seconds are not what anybody writes for a missing date.
        self._cells = Gathered(Notation(frozenset()) if self._read_as == "date" else notation, store, place)
        self._infinities = [float(text) for text in notation.missing if not_finite(text) and "∞" not in text]
        self._fault = _NO_NUMBER
        self._strays: list[int] = []
        self._texts: list[str] = []
        self._count = self._present = 0

    def add(self, row: int, array: Any) -> None:
        """Take the cells of the next rows. Only texts are asked what they look like."""
        array = plain(array)
        if self._read_as == "number":
            self._cells.add(row, self._finite(row, numbers(array)))
        elif self._read_as == "date":
            self._cells.add(row, self._dates(row, seconds(array)))
        else:
            self._cells.add(row, texts(array))

    def column(self, rows: int) -> Column | Refusal:
        """The column that all cells make."""
        if self.kind is None:
            empty = Column(self._name, "category", np.full(rows, -1, np.int32))
            used = self._declared is not None or self._name in self._notation.others
            return unreadable(empty, str(self._type), used=used)
        if self._count:
            may_be = self.kind == "number" and self._name not in self._notation.others
            return Strays(
                self._name, self._strays, self._fault, self._texts, self._count, self._present, may_be_category=may_be
            )
        cells = self._cells.cells
        if isinstance(cells, Texts):
            return typed_column(self._name, cells, self._declared, self._notation)
        if self._read_as == "date":
            return Column(self._name, "date", cells)
        column = Column(self._name, "number", cells, whole=self._cells.whole)
        return data_frame_index(column) if self._is_index else column

    @property
    def _is_index(self) -> bool:
        return self._declared is None and self._name.startswith(INDEX) and self._name not in self._notation.others

    def _finite(self, row: int, values: Numbers) -> Numbers:
        values = self._notation.known(values)
        for missing in self._infinities:
            values = np.where(values == missing, np.nan, values)
        self._note(row, values, np.isinf(values), _NO_NUMBER, str)
        return values

    def _dates(self, row: int, values: Numbers) -> Numbers:
        stray = (values < FIRST) | (values > LAST)
        missing = [value for value in np.unique(values[stray]).tolist() if moment(value) in self._notation.missing]
        values = np.where(np.isin(values, missing), np.nan, values)
        self._note(row, values, stray & ~np.isnan(values), _NO_DATE, moment)
        return values

    def _note(self, row: int, values: Numbers, stray: NDArray[np.bool_], fault: tuple[str, str], shown: Any) -> None:
        """Remember where cells are that the type of the column does not allow."""
        self._present += int(np.count_nonzero(~np.isnan(values)))
        found = np.flatnonzero(stray)
        if found.size:
            self._fault, self._count = fault, self._count + found.size
            first = found[: SHOWN - len(self._strays)]
            self._strays += (first + row).tolist()
            self._texts += map(shown, values[first].tolist())
