"""Rows as text: read for ``predict``, which keeps its input's cells, and written with more columns."""

from __future__ import annotations

import csv
import os
import secrets
import stat
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import chain, islice
from pathlib import Path
from typing import IO, Literal, TextIO

from nnctl.data.cells import open_csv
from nnctl.data.parquet import ParquetFile
from nnctl.data.source import STDIN
from nnctl.data.table import TableFile
from nnctl.errors import DataError, OutputError, Place, Problem

STDOUT = Path("-")
TOGETHER = 4096  # rows that are written together, where they do not come in blocks


def read_rows(path: Path, *, delimiter: str = ",", encoding: str = "utf-8") -> tuple[list[str], list[list[str]]]:
    """The header and the rows of a CSV file (``-``: standard input), cells as they were written, without blank lines.

    Raises: DataError as in ``read_table``, except for what concerns types.
    """
    file = open_csv(path, delimiter=delimiter, encoding=encoding)
    return list(file.header), list(rows_of(file))


def rows_of(file: TableFile) -> Iterator[list[str]]:
    """The rows of an open file, of which no more than a block is in memory."""
    if isinstance(file, ParquetFile):
        return file.text_rows()
    return (cells for _, cells in file.records(keep_blanks=True))


def lines_of(file: TableFile) -> Iterator[list[str]]:
    """The rows of an open file as lines of CSV without their ends, a block of them at a time."""
    if isinstance(file, ParquetFile):
        yield from _in_lines(file.text_rows(), file.delimiter)
        return
    for block in file.blocks:
        written = file.written(block)
        if written is None:
            written = as_lines((cells for _, cells in file.records(block, keep_blanks=True)), file.delimiter)
        yield written


def as_lines(rows: Iterable[Sequence[str]], delimiter: str, *, quoting: Literal[0, 1] = csv.QUOTE_MINIMAL) -> list[str]:
    """Rows as lines of CSV without their ends."""
    lines = _Lines()
    # With a bare \n as its line end, the csv module of Python 3.11 leaves a cell with a \r in it without quotes.
    csv.writer(lines, delimiter=delimiter, lineterminator="\r\n", quoting=quoting).writerows(rows)
    return lines


def _in_lines(rows: Iterable[Sequence[str]], delimiter: str) -> Iterator[list[str]]:
    rows = iter(rows)
    while lines := as_lines(islice(rows, TOGETHER), delimiter):
        yield lines


class _Lines(list[str]):
    r"""Takes records that end in \r\n."""

    def write(self, record: str) -> None:
        self.append(record.removesuffix("\r\n"))


def check_target(target: Path, source: Path) -> None:
    """Raises: DataError if rows from ``source`` would be written over it, by whatever name the file is called."""
    here, there = _status(target, STDOUT, sys.stdout), _status(source, STDIN, sys.stdin)
    if here and there and stat.S_ISREG(here.st_mode) and os.path.samestat(here, there):
        raise DataError(Problem("the input would be overwritten; choose another output file", place=_named(target)))


def write_rows(
    target: Path,
    header: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    delimiter: str = ",",
) -> None:
    """Write a CSV file (``-``: standard output) as UTF-8, whole or not at all.

    Raises: OutputError if it cannot be written.
    """
    write_lines(target, header, _in_lines(rows, delimiter), delimiter=delimiter)


def write_lines(target: Path, header: Sequence[str], blocks: Iterable[list[str]], *, delimiter: str = ",") -> None:
    """The same of rows as ``lines_of`` gives them, block by block as they come."""
    try:
        if target == STDOUT:
            _write(
                _Terminal(sys.stdout.buffer) if sys.stdout.isatty() else sys.stdout.buffer, header, blocks, delimiter
            )
        elif not is_replaced(target):
            with target.open("wb") as stream:  # a pipe or a device: there is nothing to replace
                _write(stream, header, blocks, delimiter)
        else:
            _replace(target.resolve(), header, blocks, delimiter)
    except BrokenPipeError:
        raise  # the reader has had enough, as `head` has: that is no failure
    except OSError as error:
        message = f"the file cannot be written: {error.strerror or error}"
        raise OutputError(Problem(message, place=_named(target))) from None


def is_replaced(target: Path) -> bool:
    """Whether what is written becomes visible only when it is whole; not on the standard output, in pipes, devices."""
    return target != STDOUT and (os.path.isfile(target) or not os.path.exists(target))


def _named(target: Path) -> Place:
    return Place("standard output" if target == STDOUT else str(target))


def _status(path: Path, standard: Path, stream: TextIO) -> os.stat_result | None:
    """What the system says of a file, or of the standard one; None if there is none."""
    try:
        return os.fstat(stream.fileno()) if path == standard else path.stat()
    except (OSError, ValueError):  # ValueError: closed, or in memory
        return None


def _replace(target: Path, header: Sequence[str], blocks: Iterable[list[str]], delimiter: str) -> None:
    temporary = target.with_name(f".{secrets.token_hex(8)}.tmp")  # not longer than a file name may be
    try:
        with temporary.open("xb") as stream:
            _write(stream, header, blocks, delimiter)
        os.replace(temporary, target)
    finally:
        with suppress(OSError):
            temporary.unlink()


def _write(stream: IO[bytes] | _Terminal, header: Sequence[str], blocks: Iterable[list[str]], delimiter: str) -> None:
    # A byte order mark at the start of a file is no letter to who reads it; behind a quote it is one.
    marked = header[0].startswith("\ufeff")
    first = as_lines([header], delimiter, quoting=csv.QUOTE_ALL if marked else csv.QUOTE_MINIMAL)
    for lines in chain([first], blocks):
        stream.write(("\n".join(lines) + "\n").encode())
    stream.flush()


class _Terminal:
    """Takes lines for a terminal, which obeys what a file only holds, and escapes what it would obey."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def write(self, lines: bytes) -> int:
        letters = (
            letter if letter.isprintable() or letter == "\n" else ascii(letter)[1:-1] for letter in lines.decode()
        )
        return self._stream.write("".join(letters).encode())

    def flush(self) -> None:
        self._stream.flush()
