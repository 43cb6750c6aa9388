"""Rows as text: read for ``predict``, which keeps its input's cells, and written with more columns."""

from __future__ import annotations

import csv
import os
import secrets
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from nnctl.data.cells import STDIN, CsvFile, open_csv
from nnctl.errors import DataError, OutputError, Place, Problem

STDOUT = Path("-")


def read_rows(path: Path, *, delimiter: str = ",", encoding: str = "utf-8") -> tuple[list[str], list[list[str]]]:
    """The header and the rows of a CSV file (``-``: standard input), cells as they were written, without blank lines.

    Raises: DataError as in ``read_table``, except for what concerns types.
    """
    return rows_of(open_csv(path, delimiter=delimiter, encoding=encoding))


def rows_of(file: CsvFile) -> tuple[list[str], list[list[str]]]:
    """The header and the rows of an open file."""
    return list(file.header), [cells for _, cells in file.records(keep_blanks=True)]


def write_rows(
    target: Path,
    header: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    source: Path | None = None,
    delimiter: str = ",",
) -> None:
    """Write a CSV file (``-``: standard output) as UTF-8, whole or not at all.

    Raises: DataError if ``target`` is the file ``source`` that the rows come from; OutputError if it cannot be written.
    """
    if source is not None and _same(target, source):
        raise DataError(Problem("the input would be overwritten; choose another output file", place=Place(str(target))))
    try:
        if target == STDOUT:
            _write(sys.stdout.buffer, header, rows, delimiter)
        elif target.exists() and not target.is_file():
            with target.open("wb") as stream:  # a pipe or a device: there is nothing to replace
                _write(stream, header, rows, delimiter)
        else:
            _replace(target.resolve(), header, rows, delimiter)
    except BrokenPipeError:
        raise  # the reader has had enough, as `head` has: that is no failure
    except OSError as error:
        name = "standard output" if target == STDOUT else str(target)
        message = f"the file cannot be written: {error.strerror or error}"
        raise OutputError(Problem(message, place=Place(name))) from None


def _same(target: Path, source: Path) -> bool:
    return target != STDOUT and source != STDIN and target.exists() and source.exists() and target.samefile(source)


def _replace(target: Path, header: Sequence[str], rows: Iterable[Sequence[str]], delimiter: str) -> None:
    temporary = target.with_name(f".{secrets.token_hex(8)}.tmp")  # not longer than a file name may be
    try:
        with temporary.open("xb") as stream:
            _write(stream, header, rows, delimiter)
        os.replace(temporary, target)
    finally:
        with suppress(OSError):
            temporary.unlink()


def _write(stream: IO[bytes], header: Sequence[str], rows: Iterable[Sequence[str]], delimiter: str) -> None:
    # With a bare \n as its line end, the csv module of Python 3.11 leaves a cell with a \r in it without quotes.
    writer = csv.writer(_NewlineEnds(stream), delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(rows)
    stream.flush()


class _NewlineEnds:
    """Takes records that end in \\r\\n and writes them with \\n, as UTF-8."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def write(self, record: str) -> int:
        return self._stream.write((record.removesuffix("\r\n") + "\n").encode())
