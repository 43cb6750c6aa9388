"""The cells of a CSV file: the file opened, decoded, and every record as wide as the header."""

from __future__ import annotations

import csv
import difflib
import hashlib
import io
import os
import re
import stat
import sys
from collections import Counter
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from nnctl.data.decoding import decode, guess_delimiter, in_file, separator, unify_line_ends
from nnctl.data.packing import unpack
from nnctl.errors import DataError

STDIN = Path("-")
SHOWN = 5  # faults of one kind that a message names one by one
_BLOCK = 1 << 18  # bytes looked at together: they stay in the processor's cache
_NEWLINE = re.compile(r"\r\n|\r|\n")


def code(name: str) -> str:
    """A name between backticks, control characters escaped."""
    return f"`{repr(name)[1:-1]}`"


def literal(text: str) -> str:
    """A cell between quotes, control characters escaped, cut where it is long."""
    return repr(text if len(text) <= 60 else f"{text[:59]}…")


@dataclass(frozen=True, slots=True, eq=False)
class CsvFile:
    """A CSV file whose records have all been found to be as wide as its header."""

    path: Path  # as messages name it
    data: bytes  # its text as UTF-8, without a byte order mark; where it has no quotes, every line ends in \n
    delimiter: str
    encoding: str
    sha256: str  # of the bytes on the disk
    header: tuple[str, ...]  # names without surrounding blanks; may be empty, never twice the same
    rows: int
    stamp: tuple[int, ...] | None  # inode, size and time of change; None: it can be read only once
    verbatim: bool  # the file holds exactly `data`, and line ends only between records: others may open it themselves

    def records(self, *, keep_blanks: bool = False) -> Iterator[tuple[int, list[str]]]:
        """The data rows, each with the line it starts on; without ``keep_blanks`` cells lose their leading blanks."""
        blanks = keep_blanks and not self._blanks_before_quotes()
        found = _records(self.path, self.data, self.delimiter, keep_blanks=blanks)
        return islice(found, 1, None)

    def lines(self, rows: Collection[int]) -> dict[int, int]:
        """The line in the file of each of the data rows, which count from 0."""
        wanted = set(rows)
        records = islice(self.records(), max(wanted, default=-1) + 1)
        return {row: line for row, (line, _) in enumerate(records) if row in wanted}

    def check_unchanged(self) -> None:
        """Raises: DataError if the file is no longer the one that was opened."""
        if self.stamp is not None and not (self.path.exists() and _stamp(self.path.stat()) == self.stamp):
            raise changed(self.path)

    def _blanks_before_quotes(self) -> bool:
        # `a, "b, c"` is two cells to whoever wrote it, so there a blank after a delimiter cannot belong to the cell.
        delimiter = re.escape(self.delimiter.encode())
        return self.delimiter != " " and re.search(rb"(?m)(^|" + delimiter + rb') +"', self.data) is not None


def open_csv(path: Path, *, delimiter: str = ",", encoding: str = "utf-8") -> CsvFile:
    """Open a CSV file, plain or packed (.gz, .bz2, .xz, .zip), and check all about it that does not depend on types.

    The path ``-`` is the standard input; the delimiter ``auto`` is the one that the header shows. URLs are not opened.

    Raises: SpecError if there is no such delimiter or encoding; DataError if there is no such file, or it is not a CSV
            file with a header and data rows.
    """
    delimiter = separator(delimiter)
    raw, stamp = _read(path)
    path = Path("standard input") if path == STDIN else path
    with ThreadPoolExecutor(max_workers=1) as pool:
        digest = pool.submit(hashlib.sha256, raw)  # beside the checks: hashing lets go of the interpreter lock
        data = unify_line_ends(decode(path, unpack(path, raw), encoding))
        delimiter = guess_delimiter(data) if delimiter == "auto" else delimiter
        header = _header(path, data, delimiter)
        rows = _count_rows(data, delimiter, len(header)) or _check_rows(path, data, delimiter, len(header))
        verbatim = stamp is not None and data is raw and b'"' not in data
        return CsvFile(path, data, delimiter, encoding, digest.result().hexdigest(), header, rows, stamp, verbatim)


def changed(path: Path) -> DataError:
    return DataError(in_file(path, "the file changed while it was read; run the command again when it is complete"))


def _read(path: Path) -> tuple[bytes, tuple[int, ...] | None]:
    if path == STDIN:
        return sys.stdin.buffer.read(), None
    try:
        with path.open("rb") as stream:
            status = os.fstat(stream.fileno())
            return stream.read(), _stamp(status) if stat.S_ISREG(status.st_mode) else None
    except FileNotFoundError:
        raise DataError(in_file(path, _not_found(path))) from None
    except IsADirectoryError:
        raise DataError(in_file(path, "this is a folder; give the path of a CSV file")) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(in_file(path, f"the file cannot be read: {reason}")) from None


def _not_found(path: Path) -> str:
    if not path.parent.is_dir():
        return f"no such file: there is no folder {code(str(path.parent))}"
    names = os.listdir(path.parent) if os.access(path.parent, os.R_OK) else []
    near = difflib.get_close_matches(path.name, names, n=1)
    return f"no such file, did you mean {code(near[0])}?" if near else "no such file"


def _stamp(status: os.stat_result) -> tuple[int, ...]:
    return status.st_ino, status.st_size, status.st_mtime_ns


def _header(path: Path, data: bytes, delimiter: str) -> tuple[str, ...]:
    line, cells = next(_records(path, data, delimiter), (None, []))
    if line is None:
        raise DataError(in_file(path, "the file is empty; it needs a header line and data rows"))
    names = tuple(name.strip() for name in cells)
    repeated = [name for name, count in Counter(names).items() if name and count > 1]
    if repeated:
        raise DataError(in_file(path, _repeated(names, name), line) for name in repeated)
    return names


def _repeated(names: tuple[str, ...], name: str) -> str:
    numbers = [str(number) for number, other in enumerate(names, start=1) if other == name]
    return f"duplicate column {code(name)}: columns {', '.join(numbers[:-1])} and {numbers[-1]}; rename all but one"


def _count_rows(data: bytes, delimiter: str, width: int) -> int | None:
    """The number of data rows if all lines but empty ones have as many delimiters as the header, else None.

    Also None where delimiters do not tell: between quotes, and where there is one column.
    """
    if width < 2 or b'"' in data:
        return None
    text, size = np.frombuffer(data, dtype=np.uint8), _BLOCK
    rows, start = -1, 0  # the header is none
    while start < len(text):
        block = text[start : start + size]
        ends = np.flatnonzero(block == ord("\n"))
        if start + size >= len(text) and block[-1] != ord("\n"):
            ends = np.append(ends, len(block))
        if not ends.size:
            size *= 2
            continue
        starts = np.append(0, ends[:-1] + 1)
        marks = (block[: ends[-1] + 1] == ord(delimiter)).view(np.uint8)
        empty = starts == ends
        if ((np.add.reduceat(marks, starts, dtype=np.int32) != width - 1) & ~empty).any():
            return None
        rows += ends.size - int(np.count_nonzero(empty))
        start += int(ends[-1]) + 1
    return rows


def _check_rows(path: Path, data: bytes, delimiter: str, width: int) -> int:
    rows, wrong = 0, []
    for line, cells in islice(_records(path, data, delimiter), 1, None):
        rows += 1
        if len(cells) != width:
            wrong.append((line, len(cells)))
    if rows == 0:
        raise DataError(in_file(path, "no data rows: there is only a header line"))
    if wrong:
        expected = f"expected {width} field{'s' * (width > 1)}, found"
        problems = [in_file(path, f"{expected} {found}", line) for line, found in wrong[:SHOWN]]
        if len(wrong) > SHOWN:
            problems.append(in_file(path, f"and {len(wrong) - SHOWN} more of such lines", wrong[SHOWN][0]))
        raise DataError(problems)
    return rows


def _records(path: Path, data: bytes, delimiter: str, *, keep_blanks: bool = False) -> Iterator[tuple[int, list[str]]]:
    """Every record that is not blank, the header first, with the line it starts on."""
    lines = _Lines(data)
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=not keep_blanks and delimiter != " ")
    while True:
        start = reader.line_num + 1
        try:
            cells = next(reader)
        except csv.Error:  # not being `strict`, it has one left: a cell longer than csv.field_size_limit()
            message = f"a cell of more than {csv.field_size_limit()} characters; is its closing quote missing?"
            raise DataError(in_file(path, message, start)) from None
        if lines.ended and reader.line_num > start:
            opened = start + sum(len(_NEWLINE.findall(cell)) for cell in cells[:-1])
            raise DataError(in_file(path, "unclosed quote; close it, or double it if it is part of the text", opened))
        if lines.ended:
            return
        if len(cells) > 1 or lines.last.strip(" \t\r\n"):
            yield start, cells


class _Lines:
    """The lines of a text with their ends, and one more after them.

    The csv module takes the end of the text for a closing quote. A record that reaches into the extra line shows
    that a quote was still open.
    """

    def __init__(self, data: bytes) -> None:
        self._lines = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", newline="")
        self.last = ""
        self.ended = False

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self.last = line
            yield line
        self.ended = True
        yield "end"
